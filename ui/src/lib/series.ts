/** What a series of approvals is signed for: made of the arguments of one call, and said in words. */

/** How far an argument may differ from the one that was seen. */
export type Loose = { as: 'exact' } | { as: 'any' } | { as: 'begins'; text: string } | { as: 'most'; number: number }

export type Argument = { name: string; value: unknown }

type Schema = Record<string, unknown>

/** The arguments of a call, one by one; nothing when they are no object. */
export function argumentsOf(source: string): Argument[] | null {
  try {
    const read: unknown = JSON.parse(source)
    if (typeof read !== 'object' || read === null || Array.isArray(read)) return null
    return Object.entries(read).map(([name, value]) => ({ name, value }))
  } catch {
    return null
  }
}

/** The ways in which an argument can be left looser. */
export function waysFor(value: unknown): Loose['as'][] {
  if (typeof value === 'string') return ['exact', 'begins', 'any']
  if (typeof value === 'number') return ['exact', 'most', 'any']
  return value === null ? ['exact'] : ['exact', 'any']
}

/** The JSON Schema that calls like the one seen satisfy; nothing when it is exactly that one. */
export function schemaOf(seen: Argument[], loose: Record<string, Loose>): string | undefined {
  if (seen.every(({ name }) => (loose[name]?.as ?? 'exact') === 'exact')) return undefined
  const properties = Object.fromEntries(seen.map(({ name, value }) => [name, ruleFor(value, loose[name] ?? { as: 'exact' })]))
  return JSON.stringify({ additionalProperties: false, properties, required: seen.map(({ name }) => name), type: 'object' })
}

function ruleFor(value: unknown, loose: Loose): Schema {
  switch (loose.as) {
    case 'exact':
      return { const: value }
    case 'any':
      return { type: typeOf(value) }
    case 'begins':
      // A way up would lead out of where it begins.
      return { type: 'string', pattern: `^${escaped(loose.text)}`, not: { pattern: '\\.\\.' } }
    case 'most':
      return { type: 'number', maximum: loose.number, minimum: Math.min(0, loose.number) }
  }
}

const typeOf = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value)

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => (character === '/' || character === '-' ? character : `\\${character}`))

const plain = (pattern: string) => pattern.replace(/\\(.)/g, '$1')

/** A rule of a schema in words, one phrase for each argument; nothing when it is of another form. */
export function inWords(source: string): { name: string; rule: string }[] | null {
  const schema = argumentsOf(source)
  const of = (name: string) => schema?.find((one) => one.name === name)?.value
  const properties = of('properties')
  const known = schema?.every(({ name }) => ['additionalProperties', 'properties', 'required', 'type'].includes(name))
  if (!known || of('additionalProperties') !== false || typeof properties !== 'object' || properties === null) return null
  const said = Object.entries(properties).map(([name, one]) => ({ name, rule: words(one as Schema) }))
  return said.every((one): one is { name: string; rule: string } => one.rule !== undefined) ? said : null
}

function words(rule: Schema): string | undefined {
  const keys = Object.keys(rule).toSorted().join(' ')
  if (keys === 'const') return `exactly ${JSON.stringify(rule.const)}`
  if (keys === 'type') return `any ${rule.type === 'string' ? 'text' : String(rule.type)}`
  if (keys === 'not pattern type' && typeof rule.pattern === 'string' && JSON.stringify(rule.not) === '{"pattern":"\\\\.\\\\."}') return `begins with ${JSON.stringify(plain(rule.pattern.slice(1)))}, without ..`
  if (keys === 'maximum minimum type') return `from ${String(rule.minimum)} to ${String(rule.maximum)}`
  return undefined
}
