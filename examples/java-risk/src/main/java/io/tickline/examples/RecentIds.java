package io.tickline.examples;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The last ids that were seen. A window, never a high-water mark: after a reconnect older trades may come behind newer
 * ones, and each of them is new.
 */
final class RecentIds {
  private static final int SIZE = 10_000;

  private final Map<String, Boolean> ids =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > SIZE;
        }
      };

  /** Whether the id was not seen before; from now on it was. */
  boolean isNew(String id) {
    return ids.putIfAbsent(id, true) == null;
  }
}
