package io.tickline.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.logging.LogManager;
import org.apache.avro.Conversions;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Values positions at the last quotes of Tickline's topics, and says which of them are stale.
 *
 * <p>It goes on where its group stopped: offsets are committed after each report. Before that place it reads the last
 * records once more, so that quotes and recent trade ids are known again at once.
 */
public final class RiskConsumer implements ConsumerRebalanceListener {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Settings settings;
  private final KafkaConsumer<String, GenericRecord> consumer;
  private final Map<Unit, Symbol> symbols = new TreeMap<>();
  /** The first offset that no former run has counted. */
  private final Map<TopicPartition, Long> countedFrom = new HashMap<>();
  /** Where a restart goes on. */
  private final Map<TopicPartition, OffsetAndMetadata> nextOffset = new HashMap<>();

  private RiskConsumer(Settings settings) {
    this.settings = settings;
    // Decimals as BigDecimal, times as Instant: without them Avro hands over bytes and longs.
    GenericData.get().addLogicalTypeConversion(new Conversions.DecimalConversion());
    GenericData.get().addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", settings.brokers);
    properties.put("group.id", settings.group);
    properties.put("enable.auto.commit", false);
    properties.put("auto.offset.reset", "earliest");
    properties.put("key.deserializer", StringDeserializer.class);
    properties.put("value.deserializer", AvroKafkaDeserializer.class);
    properties.put("apicurio.registry.url", settings.registry);
    // The id in the Confluent wire format is Apicurio's content id.
    properties.put("apicurio.registry.use-id", "contentId");
    consumer = new KafkaConsumer<>(properties);
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(new HashSet<>(partitions));
    Map<TopicPartition, Long> firsts = consumer.beginningOffsets(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    for (TopicPartition place : partitions) {
      OffsetAndMetadata known = committed.get(place);
      long first = firsts.get(place);
      long end = ends.get(place);
      long from = known != null ? known.offset() : settings.fromBeginning ? first : end;
      countedFrom.put(place, from);
      nextOffset.put(place, new OffsetAndMetadata(from));
      consumer.seek(place, Math.min(Math.max(first, from - settings.warmUp), end));
    }
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    commit();
    partitions.forEach(nextOffset::remove);
  }

  private void take(ConsumerRecord<String, GenericRecord> message) {
    TopicPartition place = new TopicPartition(message.topic(), message.partition());
    boolean counts = message.offset() >= countedFrom.get(place);
    GenericRecord record = message.value();
    Unit unit = new Unit(record.get("exchange").toString(), record.get("symbol").toString());
    Symbol symbol = symbols.computeIfAbsent(unit, any -> new Symbol());
    switch (message.topic().substring(settings.prefix.length())) {
      case "quotes" -> symbol.takeQuote(record);
      case "trades" -> symbol.takeTrade(record, counts);
      default -> symbol.takeStatus(record, counts);
    }
    if (counts) nextOffset.put(place, new OffsetAndMetadata(message.offset() + 1));
  }

  private void commit() {
    if (!nextOffset.isEmpty()) consumer.commitSync(nextOffset);
  }

  private void report() throws IOException {
    Instant now = Instant.now();
    Set<Unit> units = new TreeSet<>(symbols.keySet());
    units.addAll(settings.positions.keySet());
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Unit unit : units) {
      BigDecimal position = settings.positions.getOrDefault(unit, BigDecimal.ZERO);
      rows.add(symbols.getOrDefault(unit, new Symbol()).row(unit, position, now, settings.staleAfter));
    }
    if (settings.json) {
      System.out.println(JSON.writeValueAsString(rows));
      return;
    }
    for (Map<String, Object> row : rows) {
      System.out.printf(
          "%-11s %-14s bid %-14s ask %-14s trade %-14s position %-10s value %-16s %s%n",
          row.get("exchange"), row.get("symbol"), row.get("bid"), row.get("ask"), row.get("price"),
          row.get("position"), row.get("value"), row.get("trouble") == null ? "" : row.get("trouble"));
    }
    System.out.println();
  }

  private void run() throws IOException {
    consumer.subscribe(
        List.of(settings.prefix + "trades", settings.prefix + "quotes", settings.prefix + "status"), this);
    long reportAt = System.nanoTime() + settings.every.toNanos();
    long quietSince = System.nanoTime();
    while (true) {
      var messages = consumer.poll(Duration.ofMillis(200));
      messages.forEach(this::take);
      long now = System.nanoTime();
      if (!messages.isEmpty()) quietSince = now;
      boolean idle = settings.exitWhenIdle != null && now - quietSince >= settings.exitWhenIdle.toNanos();
      if (now >= reportAt || idle) {
        report();
        commit();
        reportAt = now + settings.every.toNanos();
      }
      if (idle) return;
    }
  }

  /** Exit codes: 0 stopped, 1 Kafka or the registry failed, 2 wrong usage. */
  public static void main(String[] args) throws Exception {
    Settings settings;
    try {
      if (List.of(args).contains("--help")) {
        System.out.print(Settings.HELP);
        return;
      }
      settings = Settings.of(args);
    } catch (IllegalArgumentException | ArithmeticException error) {
      System.err.println("risk: " + error.getMessage() + "\n\n" + Settings.HELP);
      System.exit(2);
      return;
    }
    // The registry's client says much about itself.
    LogManager.getLogManager().reset();
    RiskConsumer risk = new RiskConsumer(settings);
    Thread main = Thread.currentThread();
    Thread atSignal =
        new Thread(
            () -> {
              risk.consumer.wakeup();
              try {
                main.join();
              } catch (InterruptedException ignored) {
                Thread.currentThread().interrupt();
              }
            });
    Runtime.getRuntime().addShutdownHook(atSignal);
    int code = 0;
    try {
      risk.run();
    } catch (WakeupException stopped) {
      // A signal asks us to end; what was taken is committed below.
    } catch (KafkaException error) {
      System.err.println("risk: " + error.getMessage());
      code = 1;
    } finally {
      risk.close();
    }
    // The registry's client leaves threads behind that would keep the process alive.
    Runtime.getRuntime().halt(code);
  }

  private void close() {
    commit();
    consumer.close();
  }
}
