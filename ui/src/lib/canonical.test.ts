import { expect, test } from 'vitest'
import { canonicalArguments } from './canonical'

const text = (source: string) => {
  const found = canonicalArguments(source)
  return 'text' in found ? found.text : null
}
const problem = (source: string) => {
  const found = canonicalArguments(source)
  return 'problem' in found ? found.problem : null
}

test('o04 the canonical form is the one that the core signs', () => {
  expect(text('{"to": "grace@example.com", "subject": "Noon"}')).toBe('{"subject":"Noon","to":"grace@example.com"}')
  expect(text('{"numbers":[5e-1,4.50,2e-3,0.000000000000000000000000001,-0, 1E3],"literals":[null,true,false]}')).toBe('{"literals":[null,true,false],"numbers":[0.5,4.5,0.002,1e-27,0,1000]}')
  expect(text(String.raw`{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}`)).toBe(String.raw`{"string":"€$\u000f\nA'B\"\\\\\"/"}`)
})

test('o04 keys are ordered by their code units, and those that are named like parts of the language are kept', () => {
  expect(text(String.raw`{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"10":4,"9":5,"\r":6}`)).toBe('{"\\r":6,"10":4,"9":5,"€":3,"😀":2,"\ufb33":1}')
  expect(text('{"toString":1,"__proto__":{"b":1,"a":2},"constructor":3}')).toBe('{"__proto__":{"a":2,"b":1},"constructor":3,"toString":1}')
})

test('p11 what two readers could understand in two ways is refused', () => {
  for (const source of ['', '{', '{"a":1}x', '{"a":01}', "{'a':1}", '{"a":1,}', '{"a":NaN}', '{"a":1}/**/']) expect(problem(source), source).toBe('This is not JSON')
  for (const source of ['[]', '7', '"a"', 'null', '[{"a":1}]']) expect(problem(source), source).toBe('Arguments are a JSON object')
  for (const source of ['{"a":1,"a":1}', String.raw`{"b":[{"a":1,"\u0061":2}]}`, '{"/":1,"/":2}']) expect(problem(source), source).toBe('A key stands twice in one object')
  expect(text('{"a":{"b":1},"c":{"b":1},"a/b":2}')).toBe('{"a":{"b":1},"a/b":2,"c":{"b":1}}')
  for (const source of [String.raw`{"a":"\ud800"}`, String.raw`{"\udc00":1}`]) expect(problem(source), source).toBe('A text has half of a character in it')
})

test('p13 a number keeps its exact value or is refused', () => {
  for (const number of ['9007199254740992', '9007199254740993', '1e400', '0.1000000000000000055', '333333333.33333329', '1E30', '1e-400', '-9007199254740993.5']) {
    expect(problem(`{"a":[${number}]}`), number).toBe('A number is too large or too precise to mean the same to every reader')
  }
  for (const number of ['9007199254740991', '-1.5', '0.1', '1e-7', '0.000001', '5e-324', '123456789.125']) expect(text(`{"a":${number}}`), number).toBe(`{"a":${String(Number(number))}}`)
})
