import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeText,
  isLanguage,
  isMinified,
  languageOf,
  proseShare,
} from '../../../training/data/language.ts'

const language = suite('language')

const english =
  'This function returns the first element of the list, or nothing if it is empty. You can use it when you have to.'
const code =
  'export const add = (a: number, b: number): number => a + b\nconst table = new Map<string, number>()\n'

language('text is read, and what is not text is refused with a reason', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      const decoded = decodeText(new TextEncoder().encode(text))
      assert.equal(decoded, E.right(text.replace(/^\ufeff/, '')))
    }),
  )
  assert.equal(decodeText(Uint8Array.of(0xff, 0xfe, 0x41, 0)), E.left('is not UTF-8 text'))
  assert.equal(decodeText(new Uint8Array(64)), E.left('is a binary file, not text'))
  assert.ok(E.isRight(decodeText(new TextEncoder().encode('\x1b[31mred\x1b[0m\n'.repeat(9)))))
})

language('English passes, and so does program text; its neighbours do not', () => {
  assert.is(languageOf(english), 'english')
  assert.is(languageOf(code.repeat(20)), 'english')
  const others = [
    'Diese Funktion gibt das erste Element der Liste zurück, wenn die Liste nicht leer ist und der Wert für alle gilt.',
    'Cette fonction renvoie le premier élément de la liste et les valeurs qui ne sont pas dans une autre liste.',
    'Esta función devuelve el primer elemento de la lista para los valores que no son una lista del tipo.',
    'Функция возвращает первый элемент списка, если список не пуст.',
    '如果列表不为空,则此函数返回列表的第一个元素。',
    'Zwraca wartość, która nie jest pusta, w tym przypadku się może być z listy na liście.',
  ]
  for (const other of others) assert.is(languageOf(other), 'foreign', other)
  assert.is(
    languageOf(`${english} ${english} Das ist nicht die Sprache, sagte ein Mann mit Hut und Stock.`),
    'mixed',
  )
  assert.is(languageOf(`${english} ${english} A naïve café, a résumé.`), 'mixed')
})

language('prose has words that programs do not', () => {
  assert.ok(proseShare(english) > 0.4)
  assert.ok(proseShare(code) < 0.05)
  assert.is(proseShare(''), 0)
})

language('a paragraph says something when it has words', () => {
  for (const text of [english, code.split('\n')[0]!, 'Two words']) assert.ok(isLanguage(text), text)
  for (const text of ['', '42', 'word', '12 34 a 56 b 78', '+--+ | | +--+', '});', '0x1f, 0x2e, 0x3d, 0x4c'])
    assert.not.ok(isLanguage(text), text)
})

language('minified and encoded files are told from written ones', () => {
  assert.not.ok(isMinified(code.repeat(100)))
  assert.not.ok(isMinified(''))
  assert.ok(isMinified('var a=1;'.repeat(500)))
  assert.ok(isMinified(`${code}\n//# data ${'QUJDRA=='.repeat(400)}`))
  assert.ok(isMinified('a=1;b=2;c=3;\n'.repeat(0) + 'function(e,t){return e};'.repeat(200)))
})

language.run()
