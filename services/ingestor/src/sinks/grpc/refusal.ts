import type { StatusDetail } from '@tickline/schemas/grpc';

/** Status codes that we answer with, by name (gRPC docs, "Status codes and their use in gRPC"). */
export const CODES = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;
export type CodeName = keyof typeof CODES;

/** Why a call is not served, or no longer. */
export interface Refusal {
  readonly code: CodeName;
  /** One sentence for people. */
  readonly message: string;
  readonly detail?: StatusDetail;
}
