/** The script of a character, as SentencePiece splits by it (`unicode_script.cc`): kana counts as Han. */

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
export const scriptOf = (letter: string): string => {
  let name = known.get(letter)
  if (name === undefined) {
    name = find(letter)
    known.set(letter, name)
  }
  return name
}
