// Prints ticks from Tickline's gRPC service, one JSON object a line.
//
//	go run . -address 127.0.0.1:9090 -symbols 'BTC-*' -channels trades
//
// It asks the given pod who owns what and subscribes at every owner. Decimals stay text: parse them with
// math/big or a decimal package, never as float64.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	marketdata "tickline.io/examples/go-grpc/tickline/market_data/v1"
)

func main() {
	address := flag.String("address", "127.0.0.1:9090", "host:port of any pod")
	symbols := flag.String("symbols", "*", "symbols or patterns, with commas between")
	channels := flag.String("channels", "", "trades, quotes; empty: both")
	lastValueFirst := flag.Bool("last-value-first", false, "begin with the last tick of each stream")
	count := flag.Int("count", 0, "stop after so many ticks; 0: never")
	caFile := flag.String("ca", "", "certificates to trust, PEM; empty: no TLS")
	tokenFile := flag.String("token-file", "", "file with the bearer token")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	reader, err := newReader(*caFile, *tokenFile, *count, stop)
	if err == nil {
		err = reader.run(ctx, *address, &marketdata.SubscribeRequest{
			Symbols:        list(*symbols),
			Channels:       list(*channels),
			LastValueFirst: *lastValueFirst,
			// This client asks all owners itself.
			OwnedOnly: true,
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type reader struct {
	options []grpc.DialOption
	token   string
	left    int
	stop    context.CancelFunc

	// Guards standard output and `left`.
	mutex sync.Mutex
	lines *json.Encoder
}

func newReader(caFile, tokenFile string, count int, stop context.CancelFunc) (*reader, error) {
	transport := insecure.NewCredentials()
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		transport = credentials.NewTLS(&tls.Config{RootCAs: pool})
	}
	token := ""
	if tokenFile != "" {
		text, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, err
		}
		token = strings.TrimSpace(strings.SplitN(string(text), "\n", 2)[0])
	}
	return &reader{
		options: []grpc.DialOption{
			grpc.WithTransportCredentials(transport),
			// A pod that vanished without a word is noticed.
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
			// A listing of many thousand symbols is more than the usual 4 MiB.
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256 << 20)),
		},
		token: token,
		left:  count,
		stop:  stop,
		lines: json.NewEncoder(os.Stdout),
	}, nil
}

// run subscribes at every pod that owns something of the request, until the context ends.
func (r *reader) run(ctx context.Context, address string, request *marketdata.SubscribeRequest) error {
	ctx, cancel := context.WithCancel(r.withToken(ctx))
	defer cancel()
	owners, err := r.owners(ctx, address, request.Symbols)
	if err != nil {
		return fmt.Errorf("%s does not say who owns the symbols: %w", address, err)
	}
	var group sync.WaitGroup
	failures := make(chan error, len(owners))
	for _, owner := range owners {
		group.Add(1)
		go func() {
			defer group.Done()
			failure := r.follow(ctx, owner, proto.Clone(request).(*marketdata.SubscribeRequest))
			if failure != nil {
				cancel()
			}
			failures <- failure
		}()
	}
	group.Wait()
	close(failures)
	for failure := range failures {
		if failure != nil {
			return failure
		}
	}
	return nil
}

func (r *reader) owners(ctx context.Context, address string, symbols []string) ([]string, error) {
	connection, err := grpc.NewClient(address, r.options...)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer, err := marketdata.NewMarketDataClient(connection).ListInstruments(
		ctx, &marketdata.ListInstrumentsRequest{Symbols: symbols})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	owners := []string{}
	for _, instrument := range answer.Instruments {
		for _, owner := range instrument.Owners {
			if owner.Address != "" && !seen[owner.Address] {
				seen[owner.Address] = true
				owners = append(owners, owner.Address)
			}
		}
	}
	if len(owners) == 0 {
		// Nobody owns any of it, or the pods do not know their addresses: the one asked says what it has.
		owners = append(owners, address)
	}
	return owners, nil
}

// follow reads one pod, and again when the connection broke; it ends with an error that asking again can't help.
func (r *reader) follow(ctx context.Context, address string, request *marketdata.SubscribeRequest) error {
	connection, err := grpc.NewClient(address, r.options...)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := marketdata.NewMarketDataClient(connection)
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := r.read(ctx, client, request, func() { wait = 200 * time.Millisecond })
		if ctx.Err() != nil {
			return nil
		}
		switch status.Code(err) {
		case codes.InvalidArgument, codes.NotFound, codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented:
			return fmt.Errorf("%s: %w", address, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %v; again in %v\n", address, err, wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		// Last values first: they show at once what was missed.
		request.LastValueFirst = true
	}
}

func (r *reader) read(ctx context.Context, client marketdata.MarketDataClient,
	request *marketdata.SubscribeRequest, onData func()) error {
	stream, err := client.Subscribe(ctx, request)
	if err != nil {
		return err
	}
	for {
		batch, err := stream.Recv()
		if err == io.EOF {
			return fmt.Errorf("the pod ended the stream")
		}
		if err != nil {
			return err
		}
		onData()
		for _, tick := range batch.Ticks {
			if err := r.print(tick); err != nil {
				return err
			}
		}
	}
}

func (r *reader) print(tick *marketdata.Tick) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.left < 0 {
		return nil
	}
	if err := r.lines.Encode(line(tick)); err != nil {
		return err
	}
	if r.left > 0 {
		if r.left--; r.left == 0 {
			r.left = -1
			r.stop()
		}
	}
	return nil
}

func (r *reader) withToken(ctx context.Context) context.Context {
	if r.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+r.token)
}

// line is what is printed of a tick: the fields of the record, null where the exchange gives nothing.
func line(tick *marketdata.Tick) map[string]any {
	switch kind := tick.Kind.(type) {
	case *marketdata.Tick_Trade:
		t := kind.Trade
		return map[string]any{
			"kind": "trade", "exchange": t.Exchange, "symbol": t.Symbol, "exchangeSymbol": t.ExchangeSymbol,
			"producer": t.Producer, "session": t.Session, "exchangeTime": t.ExchangeTimeMicros,
			"receiveTime": t.ReceiveTimeMicros, "sequence": t.Sequence, "conflated": t.Conflated,
			"price": t.Price, "quantity": t.Quantity, "contracts": t.Contracts,
			"side":    strings.ToLower(strings.TrimPrefix(t.Side.String(), "SIDE_")),
			"tradeId": t.TradeId, "fillCount": t.FillCount,
		}
	case *marketdata.Tick_Quote:
		q := kind.Quote
		return map[string]any{
			"kind": "quote", "exchange": q.Exchange, "symbol": q.Symbol, "exchangeSymbol": q.ExchangeSymbol,
			"producer": q.Producer, "session": q.Session, "exchangeTime": q.ExchangeTimeMicros,
			"receiveTime": q.ReceiveTimeMicros, "sequence": q.Sequence, "conflated": q.Conflated,
			"bidPrice": q.BidPrice, "bidQuantity": q.BidQuantity, "askPrice": q.AskPrice,
			"askQuantity": q.AskQuantity, "bidContracts": q.BidContracts, "askContracts": q.AskContracts,
			"updateId": q.UpdateId,
		}
	case *marketdata.Tick_Status:
		s := kind.Status
		return map[string]any{
			"kind": "status", "exchange": s.Exchange, "symbol": s.Symbol, "channel": s.Channel,
			"time": s.TimeMicros, "state": s.State, "reason": s.Reason, "count": s.Count,
		}
	default:
		return map[string]any{"kind": "unknown"}
	}
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
