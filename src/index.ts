/** The front door of keywise. */

import './runtime.ts'

export type { AttemptReport } from './domain/attempt.ts'
export type { Blocked, DialectId, FinishReason, Usage } from './domain/chat.ts'
export {
  AbortedError,
  AllTargetsFailedError,
  BudgetExceededError,
  ClosedError,
  ConfigError,
  type ErrorCode,
  InvalidRequestError,
  isKeywiseError,
  KeywiseError,
  ModelNotFoundError,
  StoreError,
  VaultError,
} from './domain/errors.ts'
export type { FailureKind } from './domain/failure.ts'
export type { Logger } from './domain/logger.ts'
export type { SessionSummary } from './engine/memory/summary.ts'
export type { CallContext, CallOptions, Template } from './engine/request/readContext.ts'
export { APIClient, type APIClientOptions } from './manager/apiClient.ts'
export { APIManager, type APIManagerOptions, type CallResult, type RankedRow } from './manager/apiManager.ts'
export type { CallStream, StreamEvent } from './manager/callStream.ts'
export type { MediaOutput } from './manager/mediaOutput.ts'
export { unlockVault } from './manager/unlockVault.ts'
export type { EventMap } from './observe/events.ts'
export { defineProvider, type ProviderSpec } from './providers/provider.ts'
export { type TestOptions, testApiKeys } from './tester/apiKeyTester.ts'
export type { TestReport } from './tester/report.ts'
export type { TestPlan } from './tester/runOptions.ts'
export type { SkippedTest, TestResult } from './tester/testResult.ts'
export type { ExperimentRow } from './views/experiments.ts'
