package io.tickline.examples;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.avro.generic.GenericRecord;

/**
 * What a risk consumer keeps for one symbol of one exchange: the last quote, the last trade, and how fresh they are.
 * Prices and quantities are exact.
 */
final class Symbol {
  /** States of md.status in which the data can't be relied on, and those that say that it flows again. */
  private static final Set<String> UNRELIABLE = Set.of("stale", "rejected", "shedding");
  private static final Set<String> RELIABLE = Set.of("live", "acknowledged");

  private BigDecimal bid;
  private BigDecimal ask;
  private Instant quoteTime;
  private BigDecimal price;
  private String tradeId;
  private long trades;
  private long duplicates;
  private BigDecimal volume = BigDecimal.ZERO;
  private long gaps;
  /** Channel → why it can't be relied on. */
  private final Map<String, String> troubles = new HashMap<>();
  private final RecentIds seen = new RecentIds();

  void takeQuote(GenericRecord quote) {
    bid = (BigDecimal) quote.get("bidPrice");
    ask = (BigDecimal) quote.get("askPrice");
    quoteTime = (Instant) quote.get("receiveTime");
  }

  /** {@code counts} is false for what a former run has counted: it only fills the window again. */
  void takeTrade(GenericRecord trade, boolean counts) {
    String id = trade.get("tradeId").toString();
    if (!seen.isNew(id)) {
      if (counts) duplicates++;
      return;
    }
    price = (BigDecimal) trade.get("price");
    tradeId = id;
    if (counts) {
      trades++;
      volume = volume.add((BigDecimal) trade.get("quantity"));
    }
  }

  void takeStatus(GenericRecord status, boolean counts) {
    String state = status.get("state").toString();
    String channel = status.get("channel").toString();
    if (state.equals("gap")) {
      if (counts) gaps++;
    } else if (UNRELIABLE.contains(state)) {
      troubles.put(channel, state + ": " + status.get("reason"));
    } else if (RELIABLE.contains(state)) {
      troubles.remove(channel);
    }
  }

  /** Why the quote can't be relied on, in a phrase; null when it can. */
  private String trouble(Instant now, Duration staleAfter) {
    if (quoteTime == null) return "no quote yet";
    if (troubles.containsKey("quotes")) return troubles.get("quotes");
    Duration age = Duration.between(quoteTime, now);
    return age.compareTo(staleAfter) > 0 ? "quote is " + age.toSeconds() + " s old" : null;
  }

  /** What the position is worth if it were closed at the quote: a long sells at the bid, a short buys at the ask. */
  private BigDecimal value(BigDecimal position) {
    BigDecimal side = position.signum() >= 0 ? bid : ask;
    return side == null ? null : position.multiply(side);
  }

  /** The row of a report, with digits as text. */
  Map<String, Object> row(Unit unit, BigDecimal position, Instant now, Duration staleAfter) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("exchange", unit.exchange());
    row.put("symbol", unit.symbol());
    row.put("bid", digits(bid));
    row.put("ask", digits(ask));
    row.put("price", digits(price));
    row.put("tradeId", tradeId);
    row.put("trades", trades);
    row.put("duplicates", duplicates);
    row.put("volume", digits(volume));
    row.put("gaps", gaps);
    row.put("position", digits(position));
    row.put("value", digits(value(position)));
    row.put("trouble", trouble(now, staleAfter));
    return row;
  }

  /** Exact, without an exponent and without zeros that say nothing. */
  private static String digits(BigDecimal value) {
    if (value == null) return null;
    return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
  }
}
