/**
 * Tokens that a text proposes by itself: what came after the same few tokens before (prompt lookup decoding, Saxena 2023,
 * https://github.com/apoorvumang/prompt-lookup-decoding). Texts that repeat what they were given, such as summaries,
 * answers from a document and edited code, are guessed well so, and it costs no model.
 */

/** Where a run of `size` tokens that ends the text stood last before that; -1 where it did not. */
const placeBefore = (ids: readonly number[], size: number): number => {
  const end = ids.length - size
  for (let at = end - 1; at >= 0; at--) {
    let same = 0
    while (same < size && ids[at + same] === ids[end + same]) same++
    if (same === size) return at
  }
  return -1
}

/**
 * What may follow a text: `count` tokens, copied from behind the last place where its end, `longest` tokens or fewer,
 * stood before; nothing where its last token is new. What is copied may reach into the copy itself, so that a text that
 * turns in a circle goes on turning.
 */
export const lookedUp = (ids: readonly number[], count: number, longest: number): readonly number[] => {
  for (let size = Math.min(longest, ids.length - 1); size > 0; size--) {
    const at = placeBefore(ids, size)
    if (at < 0) continue
    const all = [...ids]
    for (let from = at + size; all.length < ids.length + count; from++) all.push(all[from] as number)
    return all.slice(ids.length)
  }
  return []
}
