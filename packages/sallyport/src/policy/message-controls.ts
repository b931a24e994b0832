import { HEARTBEAT_BUDGET, HEARTBEAT_BYTES } from '../controls/message/heartbeat.ts'
import { controlRow } from './control-row.ts'
import type { ControlRow } from './control-row.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { budgetInWords, countInWords, sizeInWords } from '../shape/words.ts'

const OFF = ['dangerouslyOff', 'boolean', 'false', 'Turns the control off.'] as const
const PER_USER = `${countInWords(DEFAULTS.messages.amount * DEFAULTS.connectionsPerUser)} messages/min`
const PER_IP = `${countInWords(DEFAULTS.messages.amount * DEFAULTS.connectionsPerIp)} messages/min`

/** The controls of the message door, in the order in which they are told. */
export const MESSAGE_CONTROLS: readonly ControlRow[] = [
  controlRow('message/size', {
    denies: 'bytes, fragments, buffered chunks, control-frame floods exceed the bound; smaller before authentication',
    default: `${sizeInWords(DEFAULTS.messageBytes)}, ${DEFAULTS.fragments} fragments; ${sizeInWords(DEFAULTS.unauthenticatedBytes)} before authentication; ${budgetInWords(DEFAULTS.controlFrames, 'control frames')}`,
    meets: ['WS-31'],
    keys: [
      [
        'bytes',
        'Size',
        sizeInWords(DEFAULTS.messageBytes),
        'One message, after inflation. A frame header that announces more is refused before its payload is read.',
      ],
      ['fragments', 'number', String(DEFAULTS.fragments), 'Fragments of one message.'],
      [
        'unauthenticatedBytes',
        'Size',
        sizeInWords(DEFAULTS.unauthenticatedBytes),
        'The first message in first-message mode.',
      ],
      [
        'controlFrames',
        '{ frames, per, burst? }',
        budgetInWords(DEFAULTS.controlFrames, 'frames'),
        'Pings and pongs of one connection.',
      ],
    ],
  }),
  controlRow('message/rate', {
    denies: 'messages and bytes per connection, per user, per IP exceed the budget; a type can cost more than 1',
    default: `${budgetInWords(DEFAULTS.messages, 'messages')}; ${sizeInWords(DEFAULTS.messageBytesBudget.amount)}/min; per user ${PER_USER}, per IP ${PER_IP}`,
    meets: ['WS-31', 'S10'],
    keys: [
      ['messages', 'number', String(DEFAULTS.messages.amount), 'Messages of one connection per `per`.'],
      ['per', 'Duration', '1 min', 'The time that `messages` and `bytes` are counted over.'],
      ['burst', 'number', 'as `messages`', 'How many may come at once.'],
      [
        'bytes',
        'Size',
        `${sizeInWords(DEFAULTS.messageBytesBudget.amount)} per minute`,
        'Bytes of one connection per `per`.',
      ],
      [
        'perUser',
        '{ messages, per, burst? }',
        PER_USER,
        'What all connections of a user share: the connection cap times `messages`, unless said.',
      ],
      [
        'perIp',
        '{ messages, per, burst? }',
        PER_IP,
        'What all connections of an address share: the connection cap times `messages`, unless said.',
      ],
      ['cost', '{ [type]: number }', '1 each', 'What a type of message costs.'],
      [
        'exceed',
        "'close', 'drop' or 'delay'",
        "'close'",
        'What happens beyond the budget: the connection is closed, the message dropped with an error reply, or the socket paused.',
      ],
      [
        '../heartbeat',
        '{ text, reply }[]',
        'none',
        `Texts that the guard answers itself, for clients that do not see pings. Each is at most ${HEARTBEAT_BYTES} bytes. They have a budget of their own: ${HEARTBEAT_BUDGET.amount} a minute for each connection. The heartbeat of \`sallyport.v1\` is always answered.`,
      ],
      OFF,
    ],
  }),
  controlRow('message/format', {
    denies:
      'it is binary where text is meant (or the reverse), not UTF-8, not JSON, deeper or wider than bounds, duplicate keys, `__proto__`/`constructor` keys, numbers that JavaScript would round',
    default: `text JSON, depth ${DEFAULTS.depth}, width ${countInWords(DEFAULTS.width)}`,
    meets: ['S13', 'WS-5'],
    keys: [
      ['data', "'json', 'text', 'binary' or 'any'", "'json'", 'What the app speaks. A schema needs `json`.'],
      ['depth', 'number', String(DEFAULTS.depth), 'Objects and arrays inside each other.'],
      ['width', 'number', countInWords(DEFAULTS.width), 'Keys of one object, elements of one array.'],
      [
        'bigIntegers',
        "'refuse', 'text' or 'bigint'",
        `'${DEFAULTS.bigIntegers}'`,
        'Integers beyond ±(2^53 − 1), which JavaScript numbers round: refused, or up to 64 bits delivered as the text of their digits or as a `bigint`.',
      ],
      ['dangerouslyAllowKeys', 'string[]', 'none', 'Keys such as `constructor` that pass all the same.'],
      OFF,
    ],
  }),
  controlRow('message/schema', {
    denies: 'its type is unknown, or the schema of its type does not match; unknown fields are stripped (or refused)',
    default: `*must be decided*; unknown fields stripped, ${DEFAULTS.strikes} strikes a minute`,
    meets: ['S6', 'S11', 'S14', 'WS-5', 'WS-19', 'WS-31', 'RFC-10.7'],
    keys: [
      [
        '',
        '{ [type]: Schema }',
        '*must be decided*',
        'Standard Schema (Zod, Valibot, ArkType, Joi 18), JSON Schema, compiled Ajv or TypeBox, by message type.',
      ],
      [
        'dangerouslyAcceptAnyMessage',
        'boolean',
        'false',
        'Instead of schemas: whatever passes `message/format` reaches the app.',
      ],
      ['../discriminator', 'string', `'${DEFAULTS.discriminator}'`, 'The key that names the type of a message.'],
      ['../unknownFields', "'strip' or 'refuse'", "'strip'", 'What happens to fields that no schema declares.'],
      [
        '../strikes',
        'number',
        String(DEFAULTS.strikes),
        'Refused messages of one connection within a minute before it is closed.',
      ],
    ],
  }),
  controlRow('message/authorize', {
    denies: 'this session may not send this type, or name this resource',
    default: 'declared types are allowed to every session',
    meets: ['S14', 'ASVS-7.5.3', 'WS-31'],
    notProbed: 'only the app knows who may send what: from outside, its rule cannot be told from the absence of one',
    keys: [
      [
        '',
        '(session, message, request) => boolean',
        'none',
        "The app's own rule, on the validated message. Anything but `true` denies.",
      ],
    ],
  }),
  controlRow('message/concurrency', {
    denies:
      'more than N handlers of one connection run at once; the socket is read ahead at most one message and 64 KiB, so that control frames are seen',
    default: `${DEFAULTS.handlers} handlers, ${countInWords(DEFAULTS.background)} background tasks`,
    notProbed: 'a paused socket and a slow handler look the same from outside',
    keys: [
      ['handlers', 'number', String(DEFAULTS.handlers), 'Handlers of one connection that run at once.'],
      [
        'background',
        'number',
        countInWords(DEFAULTS.background),
        'Tasks of one connection that `connection.background` runs at once.',
      ],
      [
        'countListeners',
        'boolean',
        'false',
        'Behind `guard.ws()`: whether the promise of a `message` listener counts as a running handler.',
      ],
    ],
  }),
  controlRow('message/outbound', {
    denies: 'what the app sends does not match the outbound schema: unknown fields stripped, secrets never leave',
    default: 'off until declared',
    meets: ['S11', 'WS-30'],
    notProbed: 'from outside nobody knows which field should have stayed inside',
    keys: [
      ['', '{ [type]: Schema }', 'none', 'Schemas of what the app sends, by type. Declared, nothing else is sent.'],
    ],
  }),
]
