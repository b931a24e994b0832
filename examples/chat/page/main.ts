import { demo, me } from './api.ts'
import { converse } from './conversation.ts'
import { drawGuardPanel } from './guard-panel.ts'
import { askToSignIn } from './sign-in.ts'
import { startTheme } from './theme.ts'

startTheme()
const about = await demo()
drawGuardPanel(about)
const notice = sessionStorage.getItem('notice') ?? ''
sessionStorage.removeItem('notice')
converse((await me()) ?? (await askToSignIn(about, notice)), about)
