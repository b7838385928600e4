/** A made-up corpus, and texts that tokenizers find hard. */

const subjects = [
  'the old miller',
  'a young heron',
  'our neighbour',
  'the grey cat',
  'her brother',
  'a tall sailor',
]
const verbs = ['watched', 'painted', 'carried', 'repaired', 'forgot', 'remembered', 'unloaded', 'rewatched']
const objects = ['the wooden boat', 'seven lanterns', 'a broken wheel', 'the harvest', 'an unreadable letter']
const places = ['by the river', 'in the harbour', 'behind the mill', 'at midnight', 'under the apple tree']

/** 1200 sentences, no two alike. */
export const corpus: readonly string[] = subjects.flatMap((subject, s) =>
  verbs.flatMap((verb, v) =>
    objects.flatMap((object, o) =>
      places.map((place, p) => {
        const first = `${subject.charAt(0).toUpperCase()}${subject.slice(1)} ${verb} ${object} ${place}`
        return (s + v + o + p) % 3 === 0 ? `${first}, didn't it? Number ${s}${v}${o}${p}.` : `${first}.`
      }),
    ),
  ),
)

/** Short made-up texts: white space, marks, scripts, controls, emoji, what looks like markup or special tokens. */
export const texts: readonly string[] = [
  '',
  ' ',
  '\t\r\n',
  'The heron watched seven lanterns.',
  "the miller's boat didn't sink; they've repaired it, we'll see",
  '  leading and   inner   runs  ',
  'line one\nline two\r\n\r\nend',
  'naïve café, cafe\u0301, Ångström, ÀÉÎ',
  'İstanbul ΣΊΣΥΦΟΣ Straße ẞ',
  'привет, мир! йод Ёж',
  '中文mixed文字，日本語のテキスト、ｶﾀｶﾅ',
  '한국어 문장 각',
  '😀 family 👨\u200d👩\u200d👧 flags 🇩🇪🇫🇷 ❤\ufe0f',
  '𝓗𝓮𝓵𝓵𝓸 𝟙𝟚 ﬁ ½ ² ™ Ｆｕｌｌ',
  'a\u0000b \u0007c\u200bd \u00a0 \u3000 \ufeff \ufffd',
  'q\u0323\u0307 vs q\u0307\u0323, \u0344, \u0958',
  '[CLS] the [MASK] watched [SEP]',
  '<|endoftext|> before<|endoftext|>after <s></s>',
  'x² + y² = (z+1)*2 / 3.14 % 007',
  'https://example.org/a?b=c&d=%20#e user@example.org',
  '##ing ▁meta Ġspace <0x41>',
  'unwatchable rereremembered qzxj',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  '\u0e01\u0e33 हिन्दी नमस्ते عربى ١٢٣ שלום',
]
