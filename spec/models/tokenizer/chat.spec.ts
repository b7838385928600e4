import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  emptyConfig,
  renderChat,
  rolesOf,
  tokenizerConfigFromJson,
  tokenizerConfigToJson,
  trainWordPiece,
} from '../../../models/tokenizer/index.ts'
import type { ChatOptions, Message, TokenizerConfig } from '../../../models/tokenizer/index.ts'
import { corpus } from './corpus.ts'

interface Fixture {
  readonly templates: Readonly<Record<string, string>>
  readonly conversations: readonly (readonly Message[])[]
  readonly cases: readonly {
    readonly template: string
    readonly conversation: number
    readonly options: { add_generation_prompt?: boolean; tools?: readonly unknown[]; date?: string }
    readonly text: string | null
  }[]
}

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/tokenizer/chat.json', import.meta.url), 'utf8'),
) as Fixture

const config: TokenizerConfig = {
  ...emptyConfig,
  roles: { bos: '<s>', eos: '</s>' },
  chatTemplates: fixture.templates,
}

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}
const left = (result: E.Either<string, unknown>): string => (E.isLeft(result) ? result.left : '')

const chat = suite('chat templates')

for (const [i, { template, conversation, options, text }] of fixture.cases.entries())
  chat(`${i}: ${template} of conversation ${conversation}, as Transformers renders it`, () => {
    const given: ChatOptions = {
      template,
      addGenerationPrompt: options.add_generation_prompt ?? false,
      ...(options.tools === undefined ? {} : { tools: options.tools }),
      ...(options.date === undefined ? {} : { variables: { date: options.date } }),
    }
    const result = renderChat(config, fixture.conversations[conversation] ?? [], given)
    assert.is(E.isRight(result) ? result.right : null, text, left(result))
  })

const user = { role: 'user', content: 'Hello' }
const plain =
  "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ '[assistant]' if add_generation_prompt }}"

chat('what a template refuses comes as a sentence', () => {
  assert.match(
    left(renderChat(config, [user, user], { template: 'brackets' })),
    /^chat: .*alternate, got user/,
  )
  assert.match(left(renderChat(config, [user], { template: '{% for %}' })), /^chat: /)
  assert.match(
    left(renderChat(config, [user], { template: '{{ range(1000000000) }}' })),
    /range\(\) of more than/,
  )
})

chat('which template', () => {
  assert.match(left(renderChat(emptyConfig, [user])), /no chat template/)
  assert.match(left(renderChat(config, [user])), /none of the templates \(markers, /)
  const several = { ...emptyConfig, chatTemplates: { default: 'd', tool_use: 't', other: 'o' } }
  assert.is(right(renderChat(several, [user])), 'd')
  assert.is(right(renderChat(several, [user], { tools: [] })), 't')
  assert.is(right(renderChat(several, [user], { template: 'other' })), 'o')
  assert.is(right(renderChat(several, [user], { template: 'constructor' })), 'constructor')
})

chat('the last message is left open to go on with', () => {
  const open = { template: plain, continueFinalMessage: true }
  const answer = { role: 'assistant', content: 'The river is ' }
  assert.is(right(renderChat(config, [user, answer], open)), '[user]Hello[assistant]The river is ')
  const blocks = { role: 'assistant', content: [{ type: 'text', text: 'Well,' }] }
  const template = '{% for m in messages %}{% for b in m.content %}{{ b.text }}.{% endfor %}{% endfor %}'
  assert.is(right(renderChat(config, [blocks], { ...open, template })), 'Well,')
  assert.match(left(renderChat(config, [user], { ...open, addGenerationPrompt: true })), /at once/)
  assert.match(left(renderChat(config, [{ role: 'user', content: null }], open)), /no text/)
  assert.match(left(renderChat(config, [user], { ...open, template: 'x' })), /leaves the last message out/)
})

chat('dates are told in English', () => {
  const date = new Date(2024, 6, 4, 15, 5, 9)
  const asked = (format: string): string =>
    right(renderChat(emptyConfig, [], { template: `{{ strftime_now('${format}') }}`, date }))
  assert.is(asked('%d %b %Y'), '04 Jul 2024')
  assert.is(asked('%A, %B %-d, %y %I:%M:%S %p %%'), 'Thursday, July 4, 24 03:05:09 PM %')
})

chat.run()

const settings = suite('tokenizer_config.json')

settings('is read in its spellings', () => {
  const read = right(
    tokenizerConfigFromJson({
      bos_token: { content: '<s>', lstrip: false },
      eos_token: '</s>',
      pad_token: null,
      model_max_length: 1e30,
      chat_template: [{ name: 'default', template: plain }],
      clean_up_tokenization_spaces: true,
      tokenizer_class: 'Whatever',
    }),
  )
  assert.equal(read, {
    roles: { bos: '<s>', eos: '</s>' },
    modelMaxLength: null,
    chatTemplates: { default: plain },
    cleanUpTokenizationSpaces: true,
    modelInputNames: null,
  })
  assert.is(right(tokenizerConfigFromJson({ model_max_length: 512 })).modelMaxLength, 512)
  assert.equal(right(tokenizerConfigFromJson({ chat_template: 'x' })).chatTemplates, { default: 'x' })
})

settings('is refused with every fault', () => {
  const faults = tokenizerConfigFromJson({
    eos_token: 7,
    model_max_length: 'long',
    chat_template: [{ name: 'x' }],
    model_input_names: [7],
  })
  assert.equal(E.isLeft(faults) ? faults.left.map((fault) => fault.split(':')[0]) : [], [
    'eos_token',
    'model_max_length',
    'model_input_names',
    'chat_template/0',
  ])
  assert.ok(E.isLeft(tokenizerConfigFromJson(null)))
  assert.ok(E.isLeft(tokenizerConfigFromJson({ chat_template: 1 })))
})

settings('is written for a trained tokenizer, and read again', () => {
  const tokenizer = right(trainWordPiece(corpus, { vocabSize: 100 }))
  const names = ['input_ids', 'token_type_ids', 'attention_mask']
  const json = tokenizerConfigToJson(tokenizer, {
    modelMaxLength: 128,
    chatTemplates: { default: plain },
    modelInputNames: names,
  })
  assert.is(json['tokenizer_class'], 'PreTrainedTokenizerFast')
  const read = right(tokenizerConfigFromJson(json))
  assert.equal(read.roles, { unk: '[UNK]', sep: '[SEP]', pad: '[PAD]', cls: '[CLS]', mask: '[MASK]' })
  assert.equal(read.roles, rolesOf(tokenizer.added_tokens))
  assert.is(read.modelMaxLength, 128)
  assert.equal(read.modelInputNames, names)
  assert.equal(read.chatTemplates, { default: plain })
})

settings.run()
