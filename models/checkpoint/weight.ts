/** What files of weights are called. */

export const single = 'model.safetensors'
export const index = 'model.safetensors.index.json'

const pickle = /\.(bin|pt|pth|ckpt)$/

/** Why these files hold no weights, in a sentence; `target` is where what Python converts may stand. */
export const noWeights = (model: string, files: Iterable<string>, target: string = model): string => {
  const found = [...files].find((file) => pickle.test(file))
  return found === undefined
    ? `${model} has no ${single} and no ${index}`
    : `${model} has ${found}, which only Python can read; convert it with: python -c "from transformers import AutoModel; AutoModel.from_pretrained('${model}').save_pretrained('${target}', safe_serialization=True)"`
}
