/**
 * A GPU in software, for machines without one: Debian's Chromium brings SwiftShader's Vulkan driver and the
 * loader that Dawn looks for.
 */
import { existsSync } from 'node:fs'

const folder = '/usr/lib/chromium'

/** What a process needs in its environment, from its start on, to find that driver; nothing where another is named. */
export const softwareVulkan = (environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> => {
  const driver = `${folder}/vk_swiftshader_icd.json`
  const named = environment['VK_ICD_FILENAMES'] ?? environment['VK_DRIVER_FILES']
  const real = existsSync('/usr/share/vulkan/icd.d') || existsSync('/etc/vulkan/icd.d')
  if (named !== undefined || real || !existsSync(driver) || !existsSync(`${folder}/libvulkan.so.1`)) return {}
  const libraries = environment['LD_LIBRARY_PATH']
  return {
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: libraries === undefined ? folder : `${libraries}:${folder}`,
  }
}
