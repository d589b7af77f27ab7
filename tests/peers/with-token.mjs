// Has a program that can send no credential send one: `node --import ./with-token.mjs PROGRAM`, with the
// token in AGENT_TOKEN and the origin that gets it in AGENT_ORIGIN. Nobody else gets it.
import http from 'node:http'

import { getGlobalDispatcher, setGlobalDispatcher } from 'undici'

const { AGENT_ORIGIN, AGENT_TOKEN } = process.env
const value = `Bearer ${AGENT_TOKEN}`

function withToken(headers) {
  if (Array.isArray(headers)) return [...headers, 'authorization', value]
  if (headers && typeof headers[Symbol.iterator] === 'function') {
    return [...headers].flat().concat('authorization', value)
  }
  return { ...headers, authorization: value }
}

setGlobalDispatcher(
  getGlobalDispatcher().compose((dispatch) => (options, handler) => {
    const ours = new URL(String(options.origin)).origin === AGENT_ORIGIN
    return dispatch(ours ? { ...options, headers: withToken(options.headers) } : options, handler)
  }),
)

// Some requests are made by hand, with headers that no dispatcher would send.
const request = http.request
http.request = (...given) => {
  const options = given.find((it) => it && typeof it === 'object' && !(it instanceof URL))
  const url = given.find((it) => typeof it === 'string' || it instanceof URL)
  const at = url ? new URL(url).origin : `http://${options?.hostname ?? options?.host}:${options?.port}`
  if (at === AGENT_ORIGIN && options) options.headers = withToken(options.headers)
  return request(...given)
}
