/**
 * Imported for its effect: the reference engine is the default one. Laws of rules, which are the same on every engine,
 * need no module assembled for each new shape; that the other engines compute the same is a law of its own, in
 * spec/core/primitive/engine.spec.ts and spec/core/composition/evaluation.spec.ts.
 */
import { setDefaultEngine } from '../../core/index.ts'
import { referenceEngine } from '../../kernels/index.ts'

setDefaultEngine(referenceEngine())
