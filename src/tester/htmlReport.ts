/** The report as one self-contained page: no scripts, no external URLs, everything escaped. */

import { printable } from '../domain/printable.ts'
import type { TestReport } from './report.ts'
import { failureReasonOf } from './summaryText.ts'
import type { TestResult } from './testResult.ts'

export function htmlReport(report: TestReport): string {
  const { summary, advice, fastest } = report
  const rate = `${(summary.passRate * 100).toFixed(1)}%`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>API key test ${escaped(report.timestamp)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>API key test</h1>
<p>${escaped(report.timestamp)}${report.interrupted ? ' (interrupted)' : ''}</p>
<p class="sum"><b>${summary.passed}</b> of <b>${summary.total}</b> work (${rate})${
    fastest === null ? '' : `; fastest: ${escaped(fastest.target)} in ${Math.round(fastest.responseTime)} ms`
  }</p>
${list(
  'What to do next',
  advice.map(({ text }) => text),
)}
${list('Works again', report.changes?.newlyWorking ?? [])}
${list('Fails now', report.changes?.newlyFailing ?? [])}
<table>
<thead><tr><th>Target</th><th>Result</th><th>Time</th><th>Detail</th></tr></thead>
<tbody>
${report.tests.map(row).join('\n')}
${report.skipped.map((test) => cells('skip', test.target, 'skipped', '', test.reason)).join('\n')}
</tbody>
</table>
</body>
</html>
`
}

function row(test: TestResult): string {
  const worked = test.status === 'success'
  const detail = worked ? [test.note, abilities(test)].filter(Boolean).join('; ') : failureReasonOf(test)
  return cells(
    worked ? 'ok' : 'bad',
    test.target,
    worked ? 'works' : 'failed',
    worked ? `${Math.round(test.responseTime)} ms` : '',
    detail,
  )
}

function abilities(test: TestResult): string {
  const proofs = Object.entries(test.abilities ?? {})
  return proofs.map(([name, { ok }]) => `${name}: ${ok === null ? 'unclear' : ok ? 'yes' : 'no'}`).join(', ')
}

function cells(kind: string, target: string, result: string, time: string, detail: string): string {
  return `<tr class="${kind}"><td>${escaped(target)}</td><td>${result}</td><td>${time}</td><td>${escaped(detail)}</td></tr>`
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return ''
  return `<h2>${title}</h2>\n<ol>${items.map((item) => `<li>${escaped(item)}</li>`).join('')}</ol>`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign)
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
.ok td:nth-child(2){color:#136c2e}.bad td:nth-child(2){color:#b3261e}.skip{color:#777}.sum{font-size:1.15rem}
@media(prefers-color-scheme:dark){body{background:#17171a;color:#e6e6e9}th,td{border-color:#3a3a40}.ok td:nth-child(2){color:#6fd58c}.bad td:nth-child(2){color:#ff8a80}}`
