package io.tickline.examples;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/** The command line. */
final class Settings {
  static final String HELP =
      """
      Values positions at the last quotes of Tickline's topics, and says which of them are stale.

        --brokers host:port,…        the Kafka cluster
        --registry URL               native interface of the Apicurio registry: …/apis/registry/v3
        --prefix md.                 prefix of the topics
        --group risk-example         consumer group, which keeps the offsets
        --position EXCHANGE:SYMBOL=QUANTITY
                                     a holding in the base asset; repeatable
        --stale-after 60             age in seconds at which a quote is stale
        --every 1                    seconds from one report to the next
        --warm-up 2000               records of each partition that are read once more after a restart
        --from-beginning             a new group starts with all that is kept
        --exit-when-idle S           end when nothing came for so long
        --json                       a report is a line of JSON
      """;

  String brokers;
  String registry;
  String prefix = "md.";
  String group = "risk-example";
  final Map<Unit, BigDecimal> positions = new TreeMap<>();
  Duration staleAfter = Duration.ofSeconds(60);
  Duration every = Duration.ofSeconds(1);
  long warmUp = 2_000;
  boolean fromBeginning;
  Duration exitWhenIdle;
  boolean json;

  /** Reads the command line. Throws IllegalArgumentException with a sentence. */
  static Settings of(String[] args) {
    Settings settings = new Settings();
    for (int at = 0; at < args.length; at++) {
      String flag = args[at];
      switch (flag) {
        case "--from-beginning" -> settings.fromBeginning = true;
        case "--json" -> settings.json = true;
        default -> {
          if (at + 1 == args.length) throw new IllegalArgumentException(flag + " is unknown, or needs a value");
          settings.set(flag, args[++at]);
        }
      }
    }
    if (settings.brokers == null) throw new IllegalArgumentException("say --brokers host:port");
    if (settings.registry == null) throw new IllegalArgumentException("say --registry URL");
    return settings;
  }

  private void set(String flag, String value) {
    switch (flag) {
      case "--brokers" -> brokers = value;
      case "--registry" -> registry = value;
      case "--prefix" -> prefix = value;
      case "--group" -> group = value;
      case "--position" -> addPosition(value);
      case "--stale-after" -> staleAfter = seconds(value);
      case "--every" -> every = seconds(value);
      case "--warm-up" -> warmUp = Long.parseLong(value);
      case "--exit-when-idle" -> exitWhenIdle = seconds(value);
      default -> throw new IllegalArgumentException(flag + " is unknown");
    }
  }

  private void addPosition(String text) {
    int equals = text.lastIndexOf('=');
    int colon = text.indexOf(':');
    if (colon < 1 || equals < colon) {
      throw new IllegalArgumentException(text + " is not a position such as okx:BTC-USDT=-1.5");
    }
    Unit unit = new Unit(text.substring(0, colon), text.substring(colon + 1, equals));
    positions.put(unit, new BigDecimal(text.substring(equals + 1)));
  }

  private static Duration seconds(String text) {
    return Duration.ofMillis(new BigDecimal(text).movePointRight(3).longValueExact());
  }
}
