// Rules that find bugs which the compiler does not; formatting is prettier's alone.
// typescript-eslint reads types through TypeScript 6, whose JavaScript API the native compiler does not have:
// `typescript` is that version here, and `tsc` is the native one (see docs/development.md).
import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const oneDoor = {
  paths: [{ name: 'assert', message: "use 'uvu/assert' in specs" }],
  patterns: [
    {
      group: ['fp-ts/*', 'io-ts/*'],
      message: "import { either as E } from 'fp-ts': Node finds no other door",
    },
  ],
}

export default defineConfig(
  { ignores: ['dist/', 'runs/', '.cache/', 'bench/results/', 'web/dist/', 'spec/fixtures/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // the compiler reports unused names already, and knows more about them
      '@typescript-eslint/no-unused-vars': 'off',
      'no-restricted-imports': ['error', oneDoor],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  // text cleaning names control characters on purpose
  {
    rules: {
      'no-control-regex': 'off',
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      // kernels must be written with the word function
      'object-shorthand': ['error', 'properties'],
    },
  },
)
