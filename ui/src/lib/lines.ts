/** What a field with one value a line holds: trimmed, without empty lines, each once. */
export const linesOf = (text: string): string[] => [...new Set(text.split('\n').map((line) => line.trim()).filter((line) => line !== ''))]
