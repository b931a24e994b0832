/**
 * What a client sends, in hex, and what it is answered until the connection ends. `xx 80 00000000` is a masked frame whose
 * key is zero, so that its payload can be read. What stands behind `|` is sent when all but the last answer has come: an echo
 * is a round trip further away through a gateway, and a close overtakes it.
 */
export type Row = readonly [name: string, bytes: string, answer: readonly string[]]

const zero = '00000000'
const a = (length: number): string => '61'.repeat(length)
const close = (code: number): string => `8882 ${zero} ${code.toString(16).padStart(4, '0')}`
const bye = `| ${close(1000)}`
const DONE = 'close 1000'

/** RFC 6455 §5 to §8.1, as a server must answer; the same bytes go to the server itself and through the gateway. */
export const ROWS: { readonly [section: string]: readonly Row[] } = {
  '§5.1 masking': [
    ['masked text', `8185 37fa213d 7f9f4d5158 ${bye}`, ['text Hello', DONE]],
    ['unmasked text', '8105 48656c6c6f', ['close 1002']],
    ['unmasked ping', '8900', ['close 1002']],
    ['the second frame is unmasked', `8180 ${zero} | 8100`, ['text ', 'close 1002']],
  ],
  '§5.2 reserved bits': [
    ...['c1', 'a1', '91', 'f2', 'c9', 'a8'].map((head): Row => [head, `${head}80 ${zero}`, ['close 1002']]),
    ['on a continuation', `0180 ${zero} 9080 ${zero}`, ['close 1002']],
    ['a message before it is echoed', `8181 ${zero} 61 | c180 ${zero}`, ['text a', 'close 1002']],
  ],
  '§5.2 opcodes': [
    ...['3', '4', '5', '6', '7', 'b', 'c', 'd', 'e', 'f'].map(
      (opcode): Row => [`opcode ${opcode}`, `8${opcode}80 ${zero}`, ['close 1002']],
    ),
    ['reserved while a message is open', `0180 ${zero} 8380 ${zero}`, ['close 1002']],
  ],
  '§5.2 lengths': [
    ['empty text', `8180 ${zero} ${bye}`, ['text ', DONE]],
    ['empty binary', `8280 ${zero} ${bye}`, ['binary ', DONE]],
    ['125', `81fd ${zero} ${a(125)} ${bye}`, [`text ${'a'.repeat(125)}`, DONE]],
    ['126', `81fe007e ${zero} ${a(126)} ${bye}`, [`text ${'a'.repeat(126)}`, DONE]],
    ['65535', `81feffff ${zero} ${a(65535)} ${bye}`, [`text ${'a'.repeat(65535)}`, DONE]],
    ['65536', `81ff0000000000010000 ${zero} ${a(65536)} ${bye}`, [`text ${'a'.repeat(65536)}`, DONE]],
    ['0 in 16 bits', `81fe0000 ${zero}`, ['close 1002']],
    ['125 in 16 bits', `81fe007d ${zero}`, ['close 1002']],
    ['65535 in 64 bits', `81ff000000000000ffff ${zero}`, ['close 1002']],
    ['2^63', `81ff8000000000000000 ${zero}`, ['close 1002']],
    ['beyond every bound', `81ff7fffffffffffffff ${zero}`, ['close 1009']],
  ],
  '§5.4 fragmentation': [
    ['text in two', `0181 ${zero} 61 8081 ${zero} 62 ${bye}`, ['text ab', DONE]],
    ['binary in three', `0281 ${zero} 01 0081 ${zero} 02 8081 ${zero} 03 ${bye}`, ['binary 010203', DONE]],
    ['all fragments empty', `0180 ${zero} 0080 ${zero} 8080 ${zero} ${bye}`, ['text ', DONE]],
    ['each with its own key', `0181 01010101 60 8081 02020202 60 ${bye}`, ['text ab', DONE]],
    ['a ping between', `0181 ${zero} 61 8981 ${zero} 70 8081 ${zero} 62 ${bye}`, ['pong 70', 'text ab', DONE]],
    ['a pong between', `0181 ${zero} 61 8a80 ${zero} 8081 ${zero} 62 ${bye}`, ['text ab', DONE]],
    ['a close between ends it', `0181 ${zero} 61 ${bye} 8081 ${zero} 62`, [DONE]],
    ['continuation of nothing', `8080 ${zero}`, ['close 1002']],
    ['continuation after the end', `8180 ${zero} | 8080 ${zero}`, ['text ', 'close 1002']],
    ['text inside text', `0180 ${zero} 8180 ${zero}`, ['close 1002']],
    ['text begun inside binary', `0280 ${zero} 0180 ${zero}`, ['close 1002']],
  ],
  '§5.5 control frames': [
    ['ping', `8983 01020304 000000 ${bye}`, ['pong 010203', DONE]],
    ['ping of 125', `89fd ${zero} ${a(125)} ${bye}`, [`pong ${a(125)}`, DONE]],
    ['ping of 126', `89fe007e ${zero} ${a(126)}`, ['close 1002']],
    ['ten pings', `${`8981 ${zero} 70 `.repeat(10)}${bye}`, [...Array.from({ length: 10 }, () => 'pong 70'), DONE]],
    ['ping in fragments', `0980 ${zero}`, ['close 1002']],
    ['close in fragments', `0880 ${zero}`, ['close 1002']],
    ['unsolicited pong', `8a80 ${zero} 8181 ${zero} 61 ${bye}`, ['text a', DONE]],
  ],
  '§5.5.1 close': [
    ['without a code', `8880 ${zero}`, ['close ']],
    ['one byte', `8881 ${zero} 03`, ['close 1002']],
    ['with a reason', `8885 ${zero} 03e8 627965`, [DONE]],
    ['a reason that is not UTF-8', `8883 ${zero} 03e8 ff`, ['close 1007']],
    ['a reason of 123', `88fd ${zero} 03e8 ${a(123)}`, [DONE]],
    ['of 126', '88fe007e 00000000', ['close 1002']],
    ['nothing after it is read', `${bye} 8181 ${zero} 61`, [DONE]],
  ],
  '§7.4 status codes': [
    ...[1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map(
      (code): Row => [`${code} may be sent`, close(code), [`close ${code}`]],
    ),
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map(
      (code): Row => [`${code} may not`, close(code), ['close 1002']],
    ),
  ],
  '§8.1 UTF-8': [
    ['two, three and four bytes', `8189 ${zero} c3a9 e282ac f09f9880 ${bye}`, ['text é€😀', DONE]],
    ['a character over two fragments', `0181 ${zero} c3 8081 ${zero} a9 ${bye}`, ['text é', DONE]],
    ['a lone continuation byte', `8181 ${zero} 80`, ['close 1007']],
    ['overlong', `8182 ${zero} c080`, ['close 1007']],
    ['a surrogate', `8183 ${zero} eda080`, ['close 1007']],
    ['beyond U+10FFFF', `8184 ${zero} f4908080`, ['close 1007']],
    ['cut at the end', `8182 ${zero} e282`, ['close 1007']],
    ['a byte order mark stays', `8184 ${zero} efbbbf61 ${bye}`, ['text \u{feff}a', DONE]],
    ['zero bytes', `8183 ${zero} 000000 ${bye}`, ['text \0\0\0', DONE]],
    ['binary is no text', `8281 ${zero} ff ${bye}`, ['binary ff', DONE]],
  ],
}
