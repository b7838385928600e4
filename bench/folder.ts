/** The model that writes, as files that every peer reads. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { random } from '../core/index.ts'
import { decodeSafetensors, toFloat32 } from '../core/safetensors.ts'
import { GPT2LMHeadModel, gpt, gptConfig, saveModel } from '../models/index.ts'
import type { GptConfig } from '../models/index.ts'
import type { Weights } from './onnx.ts'
import { onnxPieces } from './onnx.ts'
import type { Writer, WriterName } from './size.ts'
import { writers } from './size.ts'

/** Where the models stand. */
export const modelsFolder: string = fileURLToPath(new URL('results/models/', import.meta.url))

export const folderOf = (name: WriterName): string => `${modelsFolder}${name}`

export const configOf = ({ vocabulary, width, layers, heads, positions }: Writer): GptConfig =>
  gptConfig({ vocabularySize: vocabulary, width, layers, heads, maxLength: positions, deviation: 0.05 })

const right = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left)
  return either.right
}

const weightsIn = (path: string): Weights => {
  const { tensors } = right(decodeSafetensors(readFileSync(path)))
  return (name) => {
    const tensor = tensors.get(name)
    if (tensor === undefined) throw new Error(`bench: ${path} has no ${name}`)
    return { shape: tensor.shape, data: right(toFloat32(tensor)) }
  }
}

/** A writer's folder with random weights, made where it is missing: as Hugging Face's libraries and transformers.js read it. */
export const prepareFolder = async (name: WriterName): Promise<string> => {
  const folder = folderOf(name)
  if (existsSync(`${folder}/onnx/model.onnx`)) return folder
  const writer = writers[name]
  const config = configOf(writer)
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  const params = gpt(config).init(random.key(0))
  right(await saveModel(GPT2LMHeadModel, unfinished, { config, params })())
  mkdirSync(`${unfinished}/onnx`)
  const file = await open(`${unfinished}/onnx/model.onnx`, 'w')
  for (const piece of onnxPieces(writer, weightsIn(`${unfinished}/model.safetensors`)))
    await file.write(piece)
  await file.close()
  renameSync(unfinished, folder)
  return folder
}
