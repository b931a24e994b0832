import type { WirePeer } from '../../src/wire/index.ts'

/**
 * What a peer, a client if nothing else is said, sends in hex, and what is heard of it. `|` stands where one who sends it to
 * an echo waits for the answers so far: what ends the connection must not overtake them.
 */
export type Row = readonly [name: string, bytes: string, heard: readonly string[], peer?: WirePeer]

/** `xx 80 00000000`: a masked frame whose key is zero, so that its payload can be read. */
const zero = '00000000'
const a = (length: number): string => '61'.repeat(length)

/** RFC 6455 by its sections: what the decoder hears, and what a server that echoes answers, which follows from it. */
export const RULES: { readonly [section: string]: readonly Row[] } = {
  '§5.7 examples': [
    ['single-frame unmasked text message', '8105 48656c6c6f', ['text Hello'], 'server'],
    ['single-frame masked text message', '8185 37fa213d 7f9f4d5158', ['text Hello']],
    ['fragmented unmasked text message', '0103 48656c 8002 6c6f', ['text Hello'], 'server'],
    ['unmasked ping', '8905 48656c6c6f', ['ping 48656c6c6f'], 'server'],
    ['masked pong', '8a85 37fa213d 7f9f4d5158', ['pong 48656c6c6f']],
    ['256 bytes of binary', `827e0100 ${'ab'.repeat(256)}`, [`binary ${'ab'.repeat(256)}`], 'server'],
    ['64 KiB of binary', `827f0000000000010000 ${'ab'.repeat(65536)}`, [`binary ${'ab'.repeat(65536)}`], 'server'],
  ],
  '§5.1 masking': [
    ['unmasked text from a client', '8105 48656c6c6f', ['fault 1002 WIRE_MASK_MISSING']],
    ['unmasked empty text from a client', '8100', ['fault 1002 WIRE_MASK_MISSING']],
    ['unmasked ping from a client', '8900', ['fault 1002 WIRE_MASK_MISSING']],
    ['masked text from a server', `8185 ${zero} 48656c6c6f`, ['fault 1002 WIRE_MASK_FORBIDDEN'], 'server'],
    ['the second frame is unmasked', `8180 ${zero} | 8100`, ['text ', 'fault 1002 WIRE_MASK_MISSING']],
  ],
  '§5.2 reserved bits': [
    ['RSV1 on text', `c180 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['RSV2 on text', `a180 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['RSV3 on text', `9180 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['all three on binary', `f280 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['RSV1 on a ping', `c980 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['RSV2 on a close', `a880 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['RSV3 on a continuation', `0180 ${zero} 9080 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['a message before it is heard', `8181 ${zero} 61 | c180 ${zero}`, ['text a', 'fault 1002 WIRE_RESERVED_BITS']],
  ],
  '§5.2 opcodes': [
    ...[3, 4, 5, 6, 7].map((opcode): Row => [`data ${opcode}`, `8${opcode}80 ${zero}`, ['fault 1002 WIRE_OPCODE']]),
    ...['b', 'c', 'd', 'e', 'f'].map(
      (opcode): Row => [`control ${opcode}`, `8${opcode}80 ${zero}`, ['fault 1002 WIRE_OPCODE']],
    ),
    ['reserved while a message is open', `0180 ${zero} 8380 ${zero}`, ['fault 1002 WIRE_OPCODE']],
  ],
  '§5.2 lengths': [
    ['empty text', `8180 ${zero}`, ['text ']],
    ['empty binary', `8280 ${zero}`, ['binary ']],
    ['125, the last of the short form', `81fd ${zero} ${a(125)}`, [`text ${'a'.repeat(125)}`]],
    ['126, the first of the 16-bit form', `81fe007e ${zero} ${a(126)}`, [`text ${'a'.repeat(126)}`]],
    ['65535, the last of the 16-bit form', `81feffff ${zero} ${a(65535)}`, [`text ${'a'.repeat(65535)}`]],
    ['65536, the first of the 64-bit form', `81ff0000000000010000 ${zero} ${a(65536)}`, [`text ${'a'.repeat(65536)}`]],
    ['0 in 16 bits', `81fe0000 ${zero}`, ['fault 1002 WIRE_LENGTH_FORM']],
    ['125 in 16 bits', `81fe007d ${zero}`, ['fault 1002 WIRE_LENGTH_FORM']],
    ['126 in 64 bits', `81ff000000000000007e ${zero}`, ['fault 1002 WIRE_LENGTH_FORM']],
    ['65535 in 64 bits', `81ff000000000000ffff ${zero}`, ['fault 1002 WIRE_LENGTH_FORM']],
    ['2^63: the most significant bit', `81ff8000000000000000 ${zero}`, ['fault 1002 WIRE_LENGTH_SIGN']],
    ['2^64 - 1', `81ffffffffffffffffff ${zero}`, ['fault 1002 WIRE_LENGTH_SIGN']],
    ['2^63 - 1 is beyond every bound', `81ff7fffffffffffffff ${zero}`, ['fault 1009 WIRE_FRAME_TOO_BIG']],
  ],
  '§5.4 fragmentation': [
    ['text in two', `0181 ${zero} 61 8081 ${zero} 62`, ['text ab']],
    ['binary in three', `0281 ${zero} 01 0081 ${zero} 02 8081 ${zero} 03`, ['binary 010203']],
    ['all fragments empty', `0180 ${zero} 0080 ${zero} 8080 ${zero}`, ['text ']],
    ['the last fragment empty', `0181 ${zero} 61 8080 ${zero}`, ['text a']],
    ['each with its own key', '0181 01010101 60 8081 02020202 60', ['text ab']],
    ['a ping between', `0181 ${zero} 61 8981 ${zero} 70 8081 ${zero} 62`, ['ping 70', 'text ab']],
    ['a pong between', `0181 ${zero} 61 8a80 ${zero} 8081 ${zero} 62`, ['pong ', 'text ab']],
    ['a close between ends it', `0181 ${zero} 61 8880 ${zero} 8081 ${zero} 62`, ['close 1005 ']],
    ['two messages one after another', `0180 ${zero} 8081 ${zero} 61 8281 ${zero} 62`, ['text a', 'binary 62']],
    ['continuation of nothing', `8080 ${zero}`, ['fault 1002 WIRE_CONTINUATION_UNEXPECTED']],
    ['unfinished continuation of nothing', `0080 ${zero}`, ['fault 1002 WIRE_CONTINUATION_UNEXPECTED']],
    ['continuation after the end', `8180 ${zero} | 8080 ${zero}`, ['text ', 'fault 1002 WIRE_CONTINUATION_UNEXPECTED']],
    ['text inside text', `0180 ${zero} 8180 ${zero}`, ['fault 1002 WIRE_CONTINUATION_EXPECTED']],
    ['binary inside text', `0180 ${zero} 8280 ${zero}`, ['fault 1002 WIRE_CONTINUATION_EXPECTED']],
    ['text begun inside binary', `0280 ${zero} 0180 ${zero}`, ['fault 1002 WIRE_CONTINUATION_EXPECTED']],
  ],
  '§5.5 control frames': [
    ['ping of 125', `89fd ${zero} ${a(125)}`, [`ping ${a(125)}`]],
    ['ping of 126', `89fe007e ${zero} ${a(126)}`, ['fault 1002 WIRE_CONTROL_LENGTH']],
    ['pong of 2^16', `8aff0000000000010000 ${zero}`, ['fault 1002 WIRE_CONTROL_LENGTH']],
    ['close of 126', `88fe007e ${zero}`, ['fault 1002 WIRE_CONTROL_LENGTH']],
    ['ping in fragments', `0980 ${zero}`, ['fault 1002 WIRE_CONTROL_FRAGMENTED']],
    ['pong in fragments', `0a80 ${zero}`, ['fault 1002 WIRE_CONTROL_FRAGMENTED']],
    ['close in fragments', `0880 ${zero}`, ['fault 1002 WIRE_CONTROL_FRAGMENTED']],
    ['unsolicited pong', `8a80 ${zero}`, ['pong ']],
    ['masked ping', '8983 01020304 000000', ['ping 010203']],
    ['ten pings', `8981 ${zero} 70 `.repeat(10), Array.from({ length: 10 }, () => 'ping 70')],
  ],
  '§5.5.1 close': [
    ['without a code', `8880 ${zero}`, ['close 1005 ']],
    ['one byte', `8881 ${zero} 03`, ['fault 1002 WIRE_CLOSE_LENGTH']],
    ['1000', `8882 ${zero} 03e8`, ['close 1000 ']],
    ['1000 with a reason', `8885 ${zero} 03e8 627965`, ['close 1000 bye']],
    ['masked', '8882 01020304 02ea', ['close 1000 ']],
    ['a reason in UTF-8', `8884 ${zero} 03e8 c3a9`, ['close 1000 é']],
    ['a reason that is not UTF-8', `8883 ${zero} 03e8 ff`, ['fault 1007 WIRE_CLOSE_UTF8']],
    ['a reason cut inside a character', `8883 ${zero} 03e8 c3`, ['fault 1007 WIRE_CLOSE_UTF8']],
    ['a reason of 123', `88fd ${zero} 03e8 ${a(123)}`, [`close 1000 ${'a'.repeat(123)}`]],
    ['nothing after it is read', `8880 ${zero} ffff 8181 ${zero} 61`, ['close 1005 ']],
    ['nor after a fault', `8380 ${zero} 8181 ${zero} 61`, ['fault 1002 WIRE_OPCODE']],
  ],
  '§7.4 status codes': [
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map(
      (code): Row => [`${code} may be sent`, `8882 ${zero} ${code.toString(16).padStart(4, '0')}`, [`close ${code} `]],
    ),
    ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map(
      (code): Row => [
        `${code} may not`,
        `8882 ${zero} ${code.toString(16).padStart(4, '0')}`,
        ['fault 1002 WIRE_CLOSE_CODE'],
      ],
    ),
  ],
  '§8.1 UTF-8': [
    ['two, three and four bytes', `8189 ${zero} c3a9 e282ac f09f9880`, ['text é€😀']],
    ['masked, over a word boundary', `8192 01020304 ${'60636267'.repeat(4)} c2ab`, ['text aaacaaacaaacaaacé']],
    ['a character over two fragments', `0181 ${zero} c3 8081 ${zero} a9`, ['text é']],
    ['over four fragments', `0181 ${zero} f0 0081 ${zero} 9f 0081 ${zero} 98 8081 ${zero} 80`, ['text 😀']],
    ['a ping inside a character', `0181 ${zero} c3 8980 ${zero} 8081 ${zero} a9`, ['ping ', 'text é']],
    ['a lone continuation byte', `8181 ${zero} 80`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['a character cut short', `8181 ${zero} c3`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['cut short in the last fragment', `0181 ${zero} 61 8081 ${zero} c3`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['ASCII follows a cut character', `0181 ${zero} c3 8081 ${zero} 61`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['overlong slash', `8182 ${zero} c0af`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['surrogate', `8183 ${zero} eda080`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['above U+10FFFF', `8184 ${zero} f4908080`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['a wrong first fragment is refused before the second', `0181 ${zero} ff`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['F4 90 is wrong before it is whole', `0182 ${zero} f490`, ['fault 1007 WIRE_TEXT_UTF8']],
    ['binary is not checked', `8281 ${zero} ff`, ['binary ff']],
    [
      'a surrogate in the middle of a long text',
      `81ac ${zero} ${a(20)} eda080 ${a(21)}`,
      ['fault 1007 WIRE_TEXT_UTF8'],
    ],
    ['BOM and NUL are kept', `8184 ${zero} efbbbf00`, ['text \ufeff\0']],
  ],
}
