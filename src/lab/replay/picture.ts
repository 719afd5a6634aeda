/** A picture of what each policy loses against the oracle, added up over the requests of a scenario: SVG, no script. */

const WIDTH = 760
const HEIGHT = 420
const PLOT = { left: 64, right: 560, top: 48, bottom: 372 } as const
const GRID_LINES = 4
/**
 * The product in ink; its ablations dashed; the rest from a palette that colour-blind readers can tell apart (Okabe,
 * Ito 2008).
 */
const PALETTE = ['#E69F00', '#56B4E9', '#009E73', '#0072B2', '#D55E00', '#CC79A7', '#999999', '#B8A000', '#5D3A9B']

/** `curves`: by policy, the regret added up so far, at equal steps over `requests` requests. */
export function regretPicture(
  scenario: string,
  curves: Readonly<Record<string, readonly number[]>>,
  requests: number,
): string {
  const shown = Object.entries(curves)
    .filter(([name]) => name !== 'oracle')
    .sort(([, a], [, b]) => last(b) - last(a))
  const most = heightOf(shown.map(([, curve]) => last(curve)))
  const lines = shown.map(([name, curve], index) => line(name, curve, most, colourOf(name, index)))
  const labels = shown.map(([name, curve], index) => label(name, curve, index, colourOf(name, index)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>Regret over time: ${escaped(scenario)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${PLOT.left}" y="26" font-size="16" fill="#222">${escaped(scenario)}: value lost against the oracle</text>`,
    ...grid(most),
    `<text x="${PLOT.right}" y="${PLOT.bottom + 30}" text-anchor="end" fill="#555">${requests.toLocaleString('en')} requests</text>`,
    ...lines,
    ...labels,
    '</svg>',
    '',
  ].join('\n')
}

/** Policies that lose ten times the middle one run out of the picture, or the others could not be seen. */
function heightOf(totals: readonly number[]): number {
  const sorted = [...totals].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 1
  return Math.max(1e-9, Math.min(sorted.at(-1) ?? 1, 3 * middle))
}

function grid(most: number): readonly string[] {
  return Array.from({ length: GRID_LINES + 1 }, (_, step) => {
    const value = (most * step) / GRID_LINES
    const y = yOf(value, most)
    return [
      `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y}" y2="${y}" stroke="#ddd"/>`,
      `<text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end" fill="#555">${value < 10 ? value.toFixed(1) : value.toFixed(0)}</text>`,
    ].join('')
  })
}

function line(name: string, curve: readonly number[], most: number, colour: string): string {
  const points = curve.map((value, index) => `${xOf(index + 1, curve.length)},${yOf(Math.min(value, most), most)}`)
  const style = name === 'learned' ? 'stroke-width="3"' : name.startsWith('learned-') ? dashed(name) : ''
  return `<polyline fill="none" stroke="${colour}" ${style} points="${PLOT.left},${PLOT.bottom} ${points.join(' ')}"><title>${escaped(name)}</title></polyline>`
}

/** Ablations differ in their dashes. */
function dashed(name: string): string {
  return `stroke-dasharray="${2 + (name.length % 4) * 3} 3"`
}

function label(name: string, curve: readonly number[], index: number, colour: string): string {
  const y = PLOT.top + 8 + index * 22
  const weight = name === 'learned' ? ' font-weight="bold"' : ''
  return `<text x="${PLOT.right + 14}" y="${y}" fill="${colour}"${weight}>${escaped(name)} ${last(curve).toFixed(0)}</text>`
}

function colourOf(name: string, index: number): string {
  return name.startsWith('learned') ? '#111' : PALETTE[index % PALETTE.length]!
}

function xOf(index: number, count: number): string {
  return (PLOT.left + ((PLOT.right - PLOT.left) * index) / count).toFixed(1)
}

function yOf(value: number, most: number): number {
  return Math.round(10 * (PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / most)) / 10
}

function last(curve: readonly number[]): number {
  return curve.at(-1) ?? 0
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
