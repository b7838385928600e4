/**
 * Splitting where the script changes, as SentencePiece has it (`unicode_script.cc`): kana counts as Han. Scripts are
 * those of today's Unicode; the reference's table is older and does not know the youngest characters.
 */
import { width } from '../aligned.ts'
import type { PreTokenizer } from './piece.ts'

const names =
  'Latin Common Han Hiragana Katakana Hangul Cyrillic Greek Arabic Hebrew Devanagari Thai Inherited ' +
  'Adlam Ahom Anatolian_Hieroglyphs Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo ' +
  'Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Coptic ' +
  'Cuneiform Cypriot Deseret Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha ' +
  'Gujarati Gurmukhi Hanunoo Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese ' +
  'Kaithi Kannada Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian ' +
  'Lydian Mahajani Malayalam Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive ' +
  'Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki ' +
  'Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage ' +
  'Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan ' +
  'Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog ' +
  'Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana Tibetan Tifinagh Tirhuta Ugaritic Vai ' +
  'Warang_Citi Yi'

let expressions: readonly (readonly [string, RegExp])[] | null = null

const known = new Map<string, string>()

const find = (letter: string): string => {
  // the space and the prolonged sound mark are SentencePiece's own exceptions
  if (letter === ' ') return 'Any'
  if (letter === '\u30fc') return 'Han'
  expressions ??= names.split(' ').map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')] as const)
  const name = expressions.find(([, expression]) => expression.test(letter))?.[0] ?? 'Any'
  return name === 'Hiragana' || name === 'Katakana' ? 'Han' : name
}

/** The name of the character's script; 'Any' for those that go with every script. */
const scriptOf = (letter: string): string => {
  let name = known.get(letter)
  if (name === undefined) {
    name = find(letter)
    known.set(letter, name)
  }
  return name
}

/** Cuts where the script changes; characters of no script of their own go with what is before them. */
export const unicodeScripts: PreTokenizer = ({ source, cuts }) => {
  const out: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const end = cuts[i + 1] as number
    let start = -1
    let last: string | null = null
    for (let at = cuts[i] as number; at < end;) {
      const next = at + width(source.text, at)
      const script = scriptOf(source.text.slice(at, next))
      if (script !== 'Any') {
        if (last !== script) {
          if (start >= 0) out.push(start, at)
          start = at
        }
        last = script
      }
      at = next
    }
    if (start >= 0) out.push(start, end)
  }
  return { source, cuts: out }
}
