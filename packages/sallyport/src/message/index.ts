export { MESSAGE_DOOR } from './door.ts'
export { createMessageDoor } from './run.ts'
export type { MessageDoor } from './run.ts'
