// Many real y-websocket clients in one process, driven by lines of JSON: `node chaos.mjs`.
// Each line on standard input is a command with an `id`; each answer repeats it. Every client types by itself,
// reconnects by itself, each time to the next of its nodes, and keeps count of which of its edits it was told
// are saved.
import { createHash } from 'node:crypto'
import readline from 'node:readline'
import * as decoding from 'lib0/decoding'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { WebsocketProvider } from 'yws31'

const CONTROL = 100
const STEP2 = 1
const UPDATE = 2
const RESTART = 1012
const HANDSHAKE_MS = 3000
const DELETIONS = 0.12

// Each provider listens for the end of the process.
process.setMaxListeners(0)

/** Numbers from 0 to 1 that depend on the seed alone. */
const chance = seed => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}

class Client {
  constructor ({ name, room, path, urls, at, seed, obey }) {
    Object.assign(this, { name, path, urls, at, obey })
    this.random = chance(seed)
    this.doc = new Y.Doc()
    this.edits = [] // [kind, token, told saved]
    this.standing = [] // own tokens that are in the text
    this.told = 0
    this.gaps = [] // losses of the connection: times in ms, what ended it, when it was tried again and synced, and for how long a node was tried
    this.notSaved = 0
    this.numbers = 0
    this.fresh()
    const client = this
    class Socket extends WebSocket {
      constructor (url, protocols) {
        super(url, protocols, { handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false })
        client.fresh()
      }

      send (data) {
        client.sending(data)
        super.send(data)
      }
    }
    this.provider = new WebsocketProvider(urls[at], room, this.doc, {
      WebSocketPolyfill: Socket,
      disableBc: true,
      params: { pairloom: '1', name },
      connect: false
    })
    this.provider.awareness.setLocalStateField('user', { name })
    this.provider.messageHandlers[CONTROL] = (_, decoder) => this.control(JSON.parse(decoding.readVarString(decoder)))
    this.provider.on('connection-close', event => this.lost(event ?? { code: 0 }))
    this.provider.on('status', ({ status }) => {
      const gap = this.gaps.at(-1)
      if (status !== 'connecting' || !gap || gap.synced) return
      gap.tried ??= Date.now()
      gap.trying = Date.now()
    })
    this.provider.on('sync', synced => {
      const gap = this.gaps.at(-1)
      if (!synced || !gap || gap.synced) return
      gap.synced = Date.now()
      gap.blocked += gap.synced - gap.trying
    })
    this.provider.connect()
  }

  /** A new connection: the server counts from nothing. */
  fresh () {
    this.count = 0
    this.offered = false
    this.frames = []
  }

  /**
   * A frame goes out. Before the first step 2 of a connection an update says something of itself alone; the
   * step 2 brings all that the server lacks, so that it and what follows speak for all edits until then.
   */
  sending (data) {
    const bytes = new Uint8Array(data)
    if (bytes[0] !== 0 || (bytes[1] !== STEP2 && bytes[1] !== UPDATE)) return
    this.offered ||= bytes[1] === STEP2
    const until = this.edits.length
    this.frames.push({ number: ++this.count, from: this.offered ? 0 : until - 1, until })
  }

  control (event) {
    if (event.type === 'not_saved') this.notSaved++
    if (event.type === 'goodbye' && this.obey && event.retry_ms !== null) this.comeBack(event.retry_ms)
    if (event.type !== 'saved') return
    while (this.frames.length > 0 && this.frames[0].number <= event.count) {
      const { from, until } = this.frames.shift()
      for (let index = Math.max(from, 0); index < until; index++) {
        if (!this.edits[index][2]) {
          this.edits[index][2] = true
          this.told++
        }
      }
    }
  }

  /** As the browser client does: after the goodbye it stays away for as long as it was told to. */
  comeBack (ms) {
    this.provider.shouldConnect = false
    this.returning = setTimeout(() => this.provider.connect(), ms)
  }

  lost ({ code }) {
    const gap = this.gaps.at(-1)
    // A node that restarts while the client joins it begins another wait.
    if (gap && !gap.synced) {
      gap.again = code === RESTART
      if (gap.trying) gap.blocked += Date.now() - gap.trying
    }
    if (!gap || gap.synced || gap.again) this.gaps.push({ lost: Date.now(), code, blocked: 0 })
    // As the browser client does. y-websocket remembers their clocks, and would not see them come back for 15 s.
    const { awareness } = this.provider
    queueMicrotask(() => {
      for (const client of awareness.meta.keys()) {
        if (client !== awareness.clientID) awareness.meta.delete(client)
      }
    })
    this.at = (this.at + 1) % this.urls.length
    this.provider.serverUrl = this.urls[this.at]
  }

  get text () {
    for (const file of this.doc.getMap('files').values()) {
      if (file.get('path') === this.path) return file.get('text')
    }
    return null
  }

  /** Types about one edit in so many milliseconds; 0 stops. */
  typing (every) {
    clearTimeout(this.timer)
    if (every === 0) return
    this.timer = setTimeout(() => {
      this.edit()
      this.typing(every)
    }, every * (0.5 + this.random()))
  }

  edit () {
    const text = this.text
    if (text === null) return
    const content = text.toString()
    if (this.standing.length > 3 && this.random() < DELETIONS) {
      const [token] = this.standing.splice(Math.floor(this.random() * this.standing.length), 1)
      const at = content.indexOf(`${token}\n`)
      if (at < 0) throw new Error(`${token} is not in the text of ${this.name}`)
      this.edits.push(['-', token, false])
      text.delete(at, token.length + 1)
    } else {
      const token = `${this.name}.${++this.numbers};`
      const starts = [0, ...[...content.matchAll(/\n/g)].map(found => found.index + 1)]
      this.edits.push(['+', token, false])
      this.standing.push(token)
      text.insert(starts[Math.floor(this.random() * starts.length)], `${token}\n`)
    }
  }

  get state () {
    const content = this.text?.toString() ?? null
    return {
      name: this.name,
      room: this.provider.roomname,
      synced: this.provider.wsconnected && this.provider.synced,
      url: this.provider.serverUrl,
      hash: content === null ? null : createHash('sha1').update(content).digest('hex'),
      edits: this.edits.length,
      saved: this.told,
      refusals: this.notSaved,
      people: [...this.provider.awareness.getStates().values()].map(state => state.user?.name).filter(Boolean).sort()
    }
  }

  end () {
    this.typing(0)
    clearTimeout(this.returning)
    this.provider.destroy()
    this.doc.destroy()
    return { edits: this.edits, gaps: this.gaps }
  }
}

const clients = new Map()
const commands = {
  open: facts => { clients.set(facts.name, new Client(facts)) },
  typing: ({ names, every }) => { for (const name of names) clients.get(name).typing(every) },
  state: () => [...clients.values()].map(client => client.state),
  text: ({ name }) => clients.get(name).text?.toString() ?? null,
  edits: ({ name }) => clients.get(name).edits,
  gaps: ({ name }) => clients.get(name).gaps,
  end: ({ name }) => {
    const facts = clients.get(name).end()
    clients.delete(name)
    return facts
  }
}

for await (const row of readline.createInterface({ input: process.stdin })) {
  const { id, do: what, ...rest } = JSON.parse(row)
  let answer
  try {
    answer = { id, value: commands[what](rest) ?? null }
  } catch (error) {
    answer = { id, error: String(error.stack ?? error) }
  }
  console.log(JSON.stringify(answer))
}
process.exit(0)
