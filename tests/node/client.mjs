// One real Yjs client, driven by lines of JSON: `node client.mjs LINE`, LINE one of 1.5, 2.1, 3.1, 4.
// Each line on standard input is a command with an `id`; each answer repeats it.
import readline from 'node:readline'
import WebSocket from 'ws'

const line = process.argv[2]
const packages = { '1.5': 'yws15', '2.1': 'yws21', '3.1': 'yws31', 4: '@y/websocket' }
const Y = await import(line === '4' ? '@y/y' : 'yjs')
const { WebsocketProvider } = await import(packages[line])

const doc = new Y.Doc()
// Yjs 14 has one type for all; before, maps and texts are types of their own.
const files = line === '4' ? doc.get('files') : doc.getMap('files')
const get = (type, key) => (line === '4' ? type.getAttr(key) : type.get(key))
const textOf = id => { const file = get(files, id); return file && get(file, 'text') }
let provider

const when = (done, subscribe, unsubscribe, what) => new Promise((resolve, reject) => {
  const check = () => { if (done()) { stop(); resolve() } }
  const timer = setTimeout(() => { stop(); reject(new Error(`${what()} after 30 s`)) }, 30000)
  const stop = () => { clearTimeout(timer); unsubscribe(check) }
  subscribe(check)
  check()
})
const onUpdate = [f => doc.on('update', f), f => doc.off('update', f)]
const onAwareness = [f => provider.awareness.on('change', f), f => provider.awareness.off('change', f)]
const onSync = [f => provider.on('sync', f), f => provider.off('sync', f)]

const commands = {
  connect: async ({ url, room, name }) => {
    provider = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true })
    if (name) provider.awareness.setLocalStateField('user', { name })
    await when(() => provider.synced, ...onSync, () => 'not synced')
    return doc.clientID
  },
  create: ({ file, path, text }) => {
    const entry = new Y.Map()
    doc.transact(() => {
      files.set(file, entry)
      entry.set('path', path)
      entry.set('text', new Y.Text(text))
    })
  },
  insert: ({ file, at, text }) => { textOf(file).insert(at, text) },
  delete: ({ file, at, length }) => { textOf(file).delete(at, length) },
  text: ({ file }) => textOf(file)?.toString() ?? null,
  length: ({ file }) => textOf(file).length,
  until: ({ file, text }) => when(() => textOf(file)?.toString() === text, ...onUpdate, () => `text is ${JSON.stringify(textOf(file)?.toString())}`),
  people: () => names(),
  until_people: ({ people }) => when(() => JSON.stringify(names()) === JSON.stringify(people), ...onAwareness, () => `here are ${names()}`),
  offline: () => { provider.disconnect() },
  online: async () => {
    provider.connect()
    await when(() => provider.synced, ...onSync, () => 'not synced')
  },
  connected: () => provider.wsconnected,
  until_synced: () => when(() => provider.wsconnected && provider.synced, ...onSync, () => 'not synced'),
  until_lost: () => when(() => !provider.synced, ...onSync, () => 'still synced'),
  idle: async ({ seconds }) => {
    let lost = 0
    const count = ({ status }) => { if (status !== 'connected') lost++ }
    provider.on('status', count)
    await new Promise(resolve => setTimeout(resolve, 1000 * seconds))
    provider.off('status', count)
    return lost
  }
}

const names = () => [...provider.awareness.getStates().values()].map(state => state.user?.name).filter(Boolean).sort()

for await (const row of readline.createInterface({ input: process.stdin })) {
  const { id, do: what, ...rest } = JSON.parse(row)
  Promise.resolve().then(() => commands[what](rest)).then(
    value => console.log(JSON.stringify({ id, value: value ?? null })),
    error => console.log(JSON.stringify({ id, error: String(error.stack ?? error) }))
  )
}
process.exit(0)
