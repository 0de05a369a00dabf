// Applies updates to real Yjs documents: each line on standard input is a list of updates in base64; the answer has the
// text and the state vector after each of them, and at the end all that the document would give others.
// Yjs looks again at what it keeps aside only when one certain edit has come, which may be later than it could, so all
// that has come is given to it until that changes nothing.
import readline from 'node:readline'
import * as Y from 'yjs'

const vector = doc => Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(doc)))

const all = updates => {
  const doc = new Y.Doc()
  let before = ''
  let now = '{}'
  while (now !== before) {
    for (const update of updates) Y.applyUpdate(doc, update)
    before = now
    now = JSON.stringify(vector(doc))
  }
  return doc
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const updates = JSON.parse(line).map(update => Buffer.from(update, 'base64'))
  const docs = updates.map((_, index) => all(updates.slice(0, index + 1)))
  const steps = docs.map(doc => [doc.getText('t').toString(), vector(doc)])
  const whole = docs.length ? Y.encodeStateAsUpdate(docs[docs.length - 1]) : new Uint8Array([0, 0])
  console.log(JSON.stringify({ steps, whole: Buffer.from(whole).toString('base64') }))
}
