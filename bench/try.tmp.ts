import { runReplay } from '../src/lab/replay.ts'
const args = process.argv.slice(2)
const t = performance.now()
let last = t
const r = await runReplay({ data: process.env.DATA ?? null, seeds: (process.env.SEEDS ?? '1').split(',').map(Number), policies: process.env.POL?.split(','), scenarios: process.env.SC?.split(','), onProgress: (s) => { const now = performance.now(); console.error(s, ((now-last)/1000).toFixed(1)); last = now } })
const f = (x: number, d = 1) => x.toFixed(d)
for (const [s, ps] of [...Object.entries(r.scenarios), ['MEAN', r.mean] as const]) { console.log('==', s); for (const [p, m] of Object.entries(ps)) console.log(p.padEnd(24), 'util', f(m.utility*100,2), 'first', f(m.firstAttempt*100,2), 'w5', f(m.within5*100,2), 'regret', f(m.regret*1000,2), 'p95', f(m.p95Ms,0), 'rec', m.recoveredAfter === null ? '-' : f(m.recoveredAfter,0), 'probes', f(m.probesPer1000,2), 'att', f(m.attempts,3), 'bad', f(m.badPicks*100,1)) }
console.log(((performance.now()-t)/1000).toFixed(1), 's')
