# frozen_string_literal: true

# What Ruby loads at its start while it is caught: providers' names lead to our TLS port, and nothing else does.
# Beside it lies `where`, with the port and the providers' hosts as a regular expression.
require "socket"

module SmscatchLead
  PORT, HOSTS = File.readlines(File.join(__dir__, "where"), chomp: true).first(2)
  PROVIDERS = Regexp.new(HOSTS, Regexp::IGNORECASE)

  def self.to(host, port)
    PROVIDERS.match?(host.to_s) ? ["127.0.0.1", PORT.to_i] : [host, port]
  end

  # TCPSocket.open(host, port, …), and .new, which is the same
  module Opened
    %i[open new].each do |name|
      define_method(name) do |host, port = nil, *rest, **more, &block|
        super(*SmscatchLead.to(host, port), *rest, **more, &block)
      end
    end
  end

  # Socket.tcp(host, port, …), which Net::HTTP uses in some versions
  module Tcp
    def tcp(host, port, *rest, **more, &block)
      super(*SmscatchLead.to(host, port), *rest, **more, &block)
    end
  end
end

TCPSocket.singleton_class.prepend(SmscatchLead::Opened)
Socket.singleton_class.prepend(SmscatchLead::Tcp)
