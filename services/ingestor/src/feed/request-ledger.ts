export type RequestKind = 'subscribe' | 'unsubscribe';

/** A request that is sent and not answered for all its topics. */
export interface SentRequest {
  readonly id: number;
  readonly kind: RequestKind;
  /** Indexes of the topics without an answer. */
  readonly pending: Set<number>;
  /** 1 for the first time that these topics were asked for. */
  readonly attempt: number;
  /** Monotonic milliseconds. */
  deadline: number;
  /** To be sent again as it was (throttled), not for want of an answer. */
  repeat: boolean;
}

/** Which request an answer belongs to: by id, else the oldest without an answer. */
export class RequestLedger {
  /** In the order of sending. */
  private readonly open = new Map<number, SentRequest>();

  get size(): number {
    return this.open.size;
  }

  add(id: number, kind: RequestKind, topics: Iterable<number>, attempt: number, deadline: number): void {
    this.open.set(id, { id, kind, pending: new Set(topics), attempt, deadline, repeat: false });
  }

  /** By id; with id null the oldest (of `kind`, when given). An id that is not open finds nothing. */
  find(id: number | null, kind?: RequestKind): SentRequest | undefined {
    if (id !== null) return this.open.get(id);
    for (const request of this.open.values()) {
      if (kind === undefined || request.kind === kind) return request;
    }
    return undefined;
  }

  /** The oldest request of the kind that has this topic pending. */
  holding(topic: number, kind: RequestKind): SentRequest | undefined {
    for (const request of this.open.values()) {
      if (request.kind === kind && request.pending.has(topic)) return request;
    }
    return undefined;
  }

  /** The topic has its answer; a request without pending topics is closed. */
  settle(request: SentRequest, topic: number): void {
    request.pending.delete(topic);
    if (request.pending.size === 0) this.open.delete(request.id);
  }

  close(request: SentRequest): void {
    this.open.delete(request.id);
  }

  has(kind: RequestKind): boolean {
    return this.find(null, kind) !== undefined;
  }

  /** Takes out what is past its deadline. */
  takeOverdue(now: number): SentRequest[] {
    const overdue: SentRequest[] = [];
    for (const request of this.open.values()) {
      if (request.deadline > now) continue;
      overdue.push(request);
      this.open.delete(request.id);
    }
    return overdue;
  }

  nextDeadline(): number {
    let earliest = Infinity;
    for (const request of this.open.values()) earliest = Math.min(earliest, request.deadline);
    return earliest;
  }

  /** All subscribe requests are to be sent again at `at` unless answered before. */
  repeatAt(at: number): void {
    for (const request of this.open.values()) {
      if (request.kind !== 'subscribe') continue;
      request.deadline = at;
      request.repeat = true;
    }
  }

  /** No deadline before `at`: we did not read meanwhile. */
  extendTo(at: number): void {
    for (const request of this.open.values()) request.deadline = Math.max(request.deadline, at);
  }
}
