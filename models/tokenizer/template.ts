/** Where chat templates lie beside a tokenizer, as Transformers has it since they left tokenizer_config.json. */

/** The template that is meant where none is named. */
export const templateFile = 'chat_template.jinja'

/** Further ones: NAME.jinja each. */
export const templateFolder = 'additional_chat_templates'
