import { expect, test } from 'vitest'
import { argumentsOf, inWords, schemaOf, waysFor } from './series'

const seen = argumentsOf('{"count":3,"dry":true,"path":"reports/a.txt"}') ?? []

test('o17 what nobody loosens stays exactly as it was seen', () => {
  expect(schemaOf(seen, {})).toBeUndefined()
  expect(schemaOf(seen, { path: { as: 'exact' } })).toBeUndefined()
  const schema = schemaOf(seen, { path: { as: 'begins', text: 'reports/' }, count: { as: 'most', number: 5 } })
  expect(JSON.parse(schema ?? '')).toEqual({
    additionalProperties: false,
    properties: { count: { type: 'number', maximum: 5, minimum: 0 }, dry: { const: true }, path: { type: 'string', pattern: '^reports/', not: { pattern: '\\.\\.' } } },
    required: ['count', 'dry', 'path'],
    type: 'object',
  })
})

test('o17 what a text begins with is taken letter by letter', () => {
  const schema = JSON.parse(schemaOf(seen, { path: { as: 'begins', text: 'a.b*(c)[d]\\^$' } }) ?? '')
  expect(schema.properties.path.pattern).toBe('^a\\.b\\*\\(c\\)\\[d\\]\\\\\\^\\$')
  const pattern = new RegExp(schema.properties.path.pattern, 'u')
  expect(pattern.test('a.b*(c)[d]\\^$ and more')).toBe(true)
  expect(pattern.test('aXb*(c)[d]\\^$')).toBe(false)
})

test('a schema is said in words, and one of another form is not', () => {
  const schema = schemaOf(seen, { path: { as: 'begins', text: 'reports/q.' }, count: { as: 'most', number: 5 }, dry: { as: 'any' } }) ?? ''
  expect(inWords(schema)).toEqual([
    { name: 'count', rule: 'from 0 to 5' },
    { name: 'dry', rule: 'any boolean' },
    { name: 'path', rule: 'begins with "reports/q.", without ..' },
  ])
  expect(inWords('{"additionalProperties":false,"properties":{"a":{"const":"x"}},"required":["a"],"type":"object"}')).toEqual([{ name: 'a', rule: 'exactly "x"' }])
  for (const other of ['{"type":"object"}', '{"properties":{"a":{"const":1}},"type":"object"}', '{"additionalProperties":false,"properties":{"a":{"anyOf":[]}},"type":"object"}', '{"additionalProperties":false,"anyOf":[],"properties":{},"type":"object"}', 'x'])
    expect(inWords(other)).toBeNull()
})

test('only what makes sense for a value is offered', () => {
  expect(waysFor('a')).toEqual(['exact', 'begins', 'any'])
  expect(waysFor(1)).toEqual(['exact', 'most', 'any'])
  expect(waysFor([1])).toEqual(['exact', 'any'])
  expect(waysFor(null)).toEqual(['exact'])
})
