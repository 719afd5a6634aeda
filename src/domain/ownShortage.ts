/** What this machine or this process has too little of for another connection: nobody else's fault. */

import type { Failure } from './failure.ts'

/** Node's codes of the system's errors (errno(3)) that a new connection ends with before it leaves this machine. */
export type OwnShortageCode = 'EMFILE' | 'ENFILE' | 'ENOMEM' | 'ENOBUFS' | 'EADDRNOTAVAIL'

export const OWN_SHORTAGES: { readonly [C in OwnShortageCode]: { readonly what: string; readonly todo: string } } = {
  EMFILE: {
    what: 'keywise has as many open files and connections as it may have',
    todo: 'raise the limit where it is started ("ulimit -n 65536", "LimitNOFILE=65536" for systemd)',
  },
  ENFILE: {
    what: 'this machine has as many open files as it may have',
    todo: 'raise fs.file-max, or find what holds them (lsof), then see "ulimit -n"',
  },
  ENOMEM: { what: 'this machine has no memory left for another connection', todo: 'give it more, or run less on it' },
  ENOBUFS: { what: 'this machine has no buffers left for another connection', todo: 'run less on it' },
  EADDRNOTAVAIL: {
    what: 'this machine has no free port left for another connection',
    todo: 'widen net.ipv4.ip_local_port_range, or send fewer requests at once',
  },
}

/** The code of a failure that is our own; null for every other one. */
export function ownShortageOf(failure: Failure | null): OwnShortageCode | null {
  if (failure?.kind !== 'network' || failure.started === true) return null
  return isOwnShortage(failure.code) ? failure.code : null
}

export function isOwnShortage(code: string): code is OwnShortageCode {
  return Object.hasOwn(OWN_SHORTAGES, code)
}

/** `keywise has as many open files …; raise the limit …` */
export const ownShortageText = (code: OwnShortageCode) => `${OWN_SHORTAGES[code].what}; ${OWN_SHORTAGES[code].todo}`
