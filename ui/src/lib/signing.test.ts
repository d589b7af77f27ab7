import { expect, test } from 'vitest'
import { conditionsOf, isUsual, usualRule, whoSigns } from './signing'

test('a rule is said in words', () => {
  expect(whoSigns(usualRule)).toBe('One operator who may decide')
  expect(isUsual(usualRule)).toBe(true)
  const rule = { approvers: 2, group: 'finance', reason: true, presence: true, bar_responsible: true }
  expect(whoSigns(rule)).toBe('Two different operators of group finance')
  expect(conditionsOf(rule)).toEqual(['each says why', 'each gives the passphrase again', 'not whoever answers for the agent'])
  expect(isUsual(rule)).toBe(false)
  expect(isUsual({ ...usualRule, group: 'finance' })).toBe(false)
})
