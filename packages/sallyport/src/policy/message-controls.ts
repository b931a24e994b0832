import { authorize } from '../controls/message/authorize.ts'
import { concurrency } from '../controls/message/concurrency.ts'
import { format } from '../controls/message/format.ts'
import { outbound } from '../controls/message/outbound.ts'
import { rate } from '../controls/message/rate.ts'
import { replay } from '../controls/message/replay.ts'
import { schema } from '../controls/message/schema.ts'
import { size } from '../controls/message/size.ts'
import { type ControlRow, rowOf } from './control-row.ts'

/** The controls of the message door, in the order of docs and reports. */
export const MESSAGE_CONTROLS: readonly ControlRow[] = [
  rowOf(size),
  rowOf(rate),
  rowOf(format),
  rowOf(schema),
  rowOf(authorize),
  rowOf(replay),
  rowOf(concurrency),
  rowOf(outbound),
]
