export { MESSAGE_DOOR } from './door.ts'
export { createMessageDoor } from './run.ts'
