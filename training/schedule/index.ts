/** Learning-rate schedules: pure functions of the step, on numbers and on traced tensors. */
export * from './plateau.ts'
export * from './schedule.ts'
export * from './torch.ts'
export * from './warmup.ts'
