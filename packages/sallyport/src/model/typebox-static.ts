/**
 * The static type of a TypeBox type, derived from its structure, so that Sallyport's types do not need `typebox` to be
 * installed. Kinds that it does not know (codecs, mapped and conditional types) become unknown. `Compile(type)` knows
 * all kinds.
 */
export type TypeBoxStatic<T> = T extends { readonly '~kind': 'Object'; readonly properties: infer Properties }
  ? Fields<Properties>
  : T extends { readonly '~kind': 'Array'; readonly items: infer Item }
    ? TypeBoxStatic<Item>[]
    : T extends { readonly '~kind': 'Tuple'; readonly items: infer Items }
      ? { -readonly [I in keyof Items]: TypeBoxStatic<Items[I]> }
      : T extends { readonly '~kind': 'Union'; readonly anyOf: infer Types extends readonly unknown[] }
        ? { [I in keyof Types]: TypeBoxStatic<Types[I]> }[number]
        : T extends { readonly '~kind': 'Intersect'; readonly allOf: infer Types extends readonly unknown[] }
          ? Both<Types>
          : T extends { readonly '~kind': 'Record'; readonly patternProperties: infer Patterns }
            ? { [key: string]: TypeBoxStatic<Patterns[keyof Patterns]> }
            : T extends { readonly '~kind': 'Literal'; readonly const: infer Value }
              ? Value
              : T extends { readonly '~kind': 'Enum'; readonly enum: readonly (infer Value)[] }
                ? Value
                : T extends { readonly '~kind': infer Kind }
                  ? Kind extends keyof Scalars
                    ? Scalars[Kind]
                    : unknown
                  : unknown

interface Scalars {
  readonly String: string
  readonly Number: number
  readonly Integer: number
  readonly Boolean: boolean
  readonly Null: null
  readonly Undefined: undefined
  readonly TemplateLiteral: string
}

type Optional = { readonly '~optional': true }

type Fields<P> = Flat<
  { -readonly [K in keyof P as P[K] extends Optional ? never : K]: TypeBoxStatic<P[K]> } & {
    -readonly [K in keyof P as P[K] extends Optional ? K : never]?: TypeBoxStatic<P[K]>
  }
>

type Both<Types extends readonly unknown[]> = Types extends readonly [infer First, ...infer Rest]
  ? TypeBoxStatic<First> & Both<Rest>
  : unknown

type Flat<T> = { [K in keyof T]: T[K] } & {}
