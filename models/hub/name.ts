/** How models on the Hub are called. */

export interface HubName {
  /** `owner/name`, or `name` alone. */
  readonly repo: string
  /** A branch, a tag, or a commit. */
  readonly revision: string
}

/** One half of a name: letters, digits, `-`, `_` and `.`, the latter two neither doubled nor at an end. */
const isPart = (part: string): boolean =>
  /^\w([\w.-]{0,94}\w)?$/.test(part) && !part.includes('--') && !part.includes('..')

const isRevision = (revision: string): boolean =>
  /^[\w.-]+(\/[\w.-]+)*$/.test(revision) && !revision.split('/').some((part) => /^\.+$/.test(part))

/**
 * `owner/name`, `name`, and either with `@revision`; undefined where a text is no such name.
 *
 * @example
 * ```ts
 * hubName('google-bert/bert-base-uncased') // => { repo: 'google-bert/bert-base-uncased', revision: 'main' }
 * hubName('gpt2@v1.0') // => { repo: 'gpt2', revision: 'v1.0' }
 * hubName('../models/gpt2') // => undefined
 * ```
 */
export const hubName = (text: string): HubName | undefined => {
  const [repo = '', revision = 'main', ...more] = text.split('@')
  const parts = repo.split('/')
  return more.length === 0 && parts.length <= 2 && parts.every(isPart) && isRevision(revision)
    ? { repo, revision }
    : undefined
}

/** Whether a revision is a commit, which never changes. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision)
