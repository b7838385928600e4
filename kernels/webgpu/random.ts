/** Threefry in WGSL: the same bits as on every other engine. */

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const

const rounds = Array.from({ length: 5 }, (_, block) => {
  const turns = Array.from({ length: 4 }, (_, round) => {
    const r = rotations[(block % 2) * 4 + round] as number
    return `  x = x + y; y = ((y << ${r}u) | (y >> ${32 - r}u)) ^ x;`
  })
  return [...turns, `  x = x + k${(block + 1) % 3}; y = y + k${(block + 2) % 3} + ${block + 1}u;`].join('\n')
}).join('\n')

/** Threefry-2x32-20 (Salmon et al., SC 2011); both words of the block. */
export const random: Readonly<Record<string, string>> = {
  threefry: `fn threefry(k0: u32, k1: u32, c0: u32, c1: u32) -> vec2<u32> {
  let k2 = k0 ^ k1 ^ 0x1bd11bdau;
  var x = c0 + k0;
  var y = c1 + k1;
${rounds}
  return vec2<u32>(x, y);
}`,
  folded: 'fn folded(block: vec2<u32>) -> u32 { return block.x ^ block.y; }',
}
