/** Under what all further names are counted. */
export const otherName = 'other'

/** The first so many names as they are, all others as one: whoever makes up queue names must not fill a time series store. */
export class BoundedNames {
  readonly #names = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  label(name: string): string {
    if (this.#names.has(name)) return name
    if (this.#names.size >= this.#most) return otherName
    this.#names.add(name)
    return name
  }
}
