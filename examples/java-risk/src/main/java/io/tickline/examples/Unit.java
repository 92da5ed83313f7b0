package io.tickline.examples;

import java.util.Comparator;

/** A symbol of an exchange. */
record Unit(String exchange, String symbol) implements Comparable<Unit> {
  private static final Comparator<Unit> ORDER = Comparator.comparing(Unit::exchange).thenComparing(Unit::symbol);

  @Override
  public int compareTo(Unit other) {
    return ORDER.compare(this, other);
  }
}
