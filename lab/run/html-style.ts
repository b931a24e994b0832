/** The page's look, light and dark by the reader's own setting. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d9dde3, #353b45); --soft: light-dark(#f4f5f7, #1d2127); --dim: light-dark(#5b6472, #9aa4b2);
  --red: light-dark(#b3261e, #ff8a80); --green: light-dark(#18703a, #6fdc98); --amber: light-dark(#8a5a00, #ffc65c); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 90rem; margin: 0 auto; padding: 2rem 1.5rem 6rem; background: light-dark(#fff, #14171b); color: light-dark(#1b1f24, #e6e9ee); }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin-top: 3rem; }
.small { font-size: .85rem; color: var(--dim); }
.good { color: var(--green); font-weight: 600; } .bad { color: var(--amber); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
thead th { position: sticky; top: 0; background: light-dark(#fff, #14171b); text-align: left; padding: .5rem .75rem; border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody th, tbody td { text-align: left; font-weight: 400; padding: .35rem .75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody th[scope=row] { font-family: ui-monospace, monospace; font-size: .8rem; color: var(--dim); }
tr.flaw th { background: var(--soft); padding-top: .6rem; white-space: normal; }
tr.flaw code { float: right; color: var(--dim); }
.then { color: var(--dim); margin: 0 .35rem; }
.hijacked { color: var(--red); } .stopped { color: var(--green); } .blocked { color: var(--dim); } .error { color: var(--amber); font-weight: 700; }
a { text-decoration: none; border-radius: .25rem; } a:hover { text-decoration: underline; } a:focus-visible, summary:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; margin: 1.5rem 0; } dd { margin: 0; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; padding: .5rem .9rem; } summary { cursor: pointer; }
details:target { border-color: currentColor; }
.facts { width: auto; margin: .6rem 0; } .facts th, .facts td { border: 0; padding: .1rem .9rem .1rem 0; white-space: normal; }
pre { background: var(--soft); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto; font: .8rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
`
