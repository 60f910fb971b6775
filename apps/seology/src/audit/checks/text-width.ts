/**
 * Text widths as Arial sets them, from a table: a canvas in a container without Arial measures another font.
 * Advances are in thousandths of an em.
 */

/** Groups of characters with one advance. */
const groups: [advance: number, characters: string][] = [
  [191, "'"],
  [222, 'ijl‘’‚ι'],
  [260, '|¦'],
  [278, ' !,./:;I[\\]ft\u00a0·ÌÍÎÏìíîïıΙІЇії'],
  [333, '()-`r{}¡¨\u00ad¯²³´¸¹“”„‹›'],
  [350, '•'],
  [355, '"'],
  [365, 'ºг'],
  [370, 'ª'],
  [389, '*'],
  [395, 'τ'],
  [400, '°'],
  [438, 'к'],
  [441, 'ζ'],
  [446, 'ε'],
  [448, 'ξ'],
  [458, 'зт'],
  [469, '^'],
  [482, 'ς'],
  [500, 'Jckvsxyzçýÿγκλνсух'],
  [510, 'э'],
  [521, 'чьь'],
  [525, 'χ'],
  [531, 'в'],
  [537, '¶'],
  [542, 'Гпя'],
  [547, 'υ'],
  [549, '±÷'],
  [551, 'Γ'],
  [552, 'н'],
  [556, '#$0123456789?L_abdeghnopqu–†‡€¢£¤¥§«»àáâãäåèéêëðñòóôõöùúûüþαδηθοаеиойр'],
  [569, 'ρ'],
  [573, 'бц'],
  [576, 'µμ'],
  [578, 'αβ'],
  [583, 'Кдл'],
  [584, '+<=>~¬×'],
  [604, 'З'],
  [611, 'FTZ¿ßøΖΤТ'],
  [617, 'σ'],
  [618, 'Σ'],
  [625, 'ъ'],
  [635, 'У'],
  [648, 'φ'],
  [650, 'Ξ'],
  [656, 'БЛЬ'],
  [667, '&ABEKPSVXYÀÁÂÃÄÅÈÉÊËÝÞΑΒΕΚΡΥΧАВЕРХ'],
  [668, 'ΔΛ'],
  [669, 'ж'],
  [677, 'Д'],
  [688, 'м'],
  [690, 'π'],
  [713, 'ψ'],
  [719, 'ИЙПЭ'],
  [722, 'CDHNRUwÇÐÑÙÚÛÜΗΝΠНСЯ'],
  [737, '©®'],
  [740, 'Ц'],
  [748, 'Ω'],
  [750, 'ю'],
  [760, 'Ф'],
  [778, 'GOQÒÓÔÕÖØΘΟО'],
  [781, 'ω'],
  [792, 'Ъ'],
  [798, 'Φ'],
  [802, 'ш'],
  [823, 'фщ'],
  [833, 'MmΜМ'],
  [834, '¼½¾'],
  [835, 'Ψ'],
  [885, 'Ы'],
  [889, '%æ'],
  [917, 'Ш'],
  [923, 'Ж'],
  [938, 'Щ'],
  [944, 'W'],
  [1_000, 'Æ—…™œ'],
  [1_010, 'Ю'],
  [1_015, '@'],
]

/** Advance of a character that the table doesn't hold: about that of a digit. */
const otherAdvance = 556

const advances = new Map<string, number>()
for (const [advance, characters] of groups) for (const one of characters) advances.set(one, advance)

/** Chinese, Japanese, Korean, full-width forms and emoji: one em each. */
const fullWidth =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3ffff}]/u
const zeroWidth = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Rounded width in pixels of one line of text. */
export function textWidthPx(text: string, fontPx: number): number {
  let width = 0
  for (const character of text.normalize('NFC')) width += advanceOf(character)
  return Math.round((width * fontPx) / 1_000)
}

function advanceOf(character: string): number {
  const known = advances.get(character)
  if (known !== undefined) return known
  let advance = otherAdvance
  if (zeroWidth.test(character)) advance = 0
  else if (fullWidth.test(character)) advance = 1_000
  else {
    // A letter with a mark is as wide as the letter.
    const [letter = character] = character.normalize('NFD')
    if (letter !== character) advance = advanceOf(letter)
  }
  advances.set(character, advance)
  return advance
}
