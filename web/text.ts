/** The text that the page begins with. */
const lines = [
  'the river runs to the sea, and the sea runs up to the sky;',
  'the sky comes down as the rain, and the rain runs down to the river.',
  'the baker wakes with the moon, and the moon goes down with the baker;',
  'the bread comes up with the sun, and the sun comes up with the bread.',
  'a fox went over the hill to see what the hill could see;',
  'the hill could see the river, and the river could see the sea.',
  'a wind went over the field to hear what the field could hear;',
  'the field could hear the wind, and the wind could hear the field.',
]

export const defaultText: string = Array.from({ length: 6 }, (_, verse) =>
  lines.map((_, i) => lines[(i + 2 * verse) % lines.length] as string).join('\n'),
).join('\n\n')
