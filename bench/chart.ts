/** Bars that belong together: one case, a bar for each peer. */
export interface ChartGroup {
  readonly title: string
  readonly bars: readonly { readonly name: string; readonly value: number; readonly ours: boolean }[]
}

const PLOT = 510
/** Of one letter at 12 px: names are as wide as the reader's font makes them. */
const LETTER = 7
const BAR = 16
const GAP = 5

/** A chart of horizontal bars in SVG, readable on light and dark pages. */
export function barChart(title: string, unit: string, groups: readonly ChartGroup[]): string {
  const greatest = Math.max(...groups.flatMap(group => group.bars.map(bar => bar.value)))
  const left = 20 + LETTER * Math.max(...groups.flatMap(group => group.bars.map(bar => bar.name.length)))
  const scale = (PLOT - 70) / greatest
  const parts: string[] = []
  let y = 34
  for (const group of groups) {
    y += 24
    parts.push(text(10, y - 6, 'head', group.title))
    for (const bar of group.bars) {
      const length = Math.max(1, bar.value * scale)
      parts.push(
        text(left - 8, y + BAR - 4, 'name', bar.name),
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" class="${bar.ours ? 'ours' : 'peer'}"/>`,
        text(
          left + length + 6,
          y + BAR - 4,
          'value',
          `${bar.value >= 100 ? bar.value.toFixed(0) : bar.value.toFixed(2)}${unit}`,
        ),
      )
      y += BAR + GAP
    }
  }
  const width = left + PLOT
  const height = y + 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>',
    'text { font: 12px system-ui, sans-serif; fill: #57606a } .title { font-size: 15px; font-weight: 600; fill: #24292f }',
    '.head { font-weight: 600; fill: #24292f } .name { text-anchor: end } .ours { fill: #1a7f64 } .peer { fill: #9aa4af }',
    '@media (prefers-color-scheme: dark) { text { fill: #9da7b3 } .title, .head { fill: #e6edf3 } .ours { fill: #2ea583 } .peer { fill: #57606a } }',
    '</style>',
    text(10, 22, 'title', title),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function text(x: number, y: number, kind: string, content: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" class="${kind}">${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
