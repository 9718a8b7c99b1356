package clinsum.sandbox;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Starts a server, prints {@code ready <base URL>}, and ends when standard input ends. Until then each line there
 * starts another beside it, {@code start <its options as a form>}, or stops one, {@code stop <base URL>}: in a process
 * that has one, the next takes a fraction of the time.
 */
public final class Main {

    private final Map<String, OneServer> running = new HashMap<>();

    private Main() {}

    public static void main(String[] args) {
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        followStandardInput(lines);
        try {
            Main main = new Main();
            main.start(Settings.ofSystem());
            while (true) {
                main.follow(lines.take());
            }
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1); // Spring's schedulers would keep a half-started process alive
        }
    }

    private void follow(String line) throws Exception {
        String[] words = line.split(" ", 2);
        if (words[0].equals("start")) {
            start(Settings.ofForm(words[1]));
        } else {
            running.remove(words[1]).stop();
            System.out.println("stopped " + words[1]);
        }
    }

    private void start(Settings settings) throws Exception {
        OneServer server = OneServer.start(settings);
        running.put(server.baseUrl(), server);
        System.out.println("ready " + server.baseUrl());
    }

    /** The parent holds the other end of standard input: however it dies, this process ends too. */
    private static void followStandardInput(BlockingQueue<String> lines) {
        Thread watch = new Thread(() -> {
            try {
                BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
                for (String line = input.readLine(); line != null; line = input.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                // a broken pipe is an end as well
            }
            System.exit(0); // its hooks close a database kept in a file
        }, "parent-watch");
        watch.setDaemon(true);
        watch.start();
    }
}
