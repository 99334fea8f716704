#!/usr/bin/perl
# A client by Net::SMPP. Reads a command a line from stdin, and answers each with one line of name=value pairs:
#   bind <transmitter|receiver|transceiver> <port> <user> <password>
#   submit_sm <name=value>...     query_sm <name=value>...     cancel_sm <name=value>...
#   deliver                       waits for a deliver_sm and acknowledges it
#   unbind
# A value that begins with 0x is octets in hexadecimal.
use strict;
use warnings;
use Net::SMPP;

$| = 1;
my $smpp;
my @delivered;

sub answer {
    my ($pdu, @names) = @_;
    return print "gone\n" unless $pdu;
    my @pairs = map { "$_=" . (defined $pdu->{$_} ? unpack('H*', $pdu->{$_}) : '') } @names;
    print join(' ', "status=$pdu->{status}", @pairs), "\n";
}

# The next PDU that fits; what else comes is dealt with or kept.
sub wait_for {
    my ($fits) = @_;
    while (my $pdu = $smpp->read_pdu()) {
        return $pdu if $fits->($pdu);
        if ($pdu->{cmd} == Net::SMPP::CMD_deliver_sm) { push @delivered, $pdu }
        elsif ($pdu->{cmd} == Net::SMPP::CMD_enquire_link) { $smpp->enquire_link_resp(seq => $pdu->{seq}) }
    }
    return undef;
}

while (my $line = <STDIN>) {
    chomp $line;
    my ($command, @rest) = split / /, $line;
    if ($command eq 'bind') {
        my ($mode, $port, $user, $password) = @rest;
        my $new = "new_$mode";
        my $resp;
        ($smpp, $resp) = Net::SMPP->$new('127.0.0.1', port => $port, system_id => $user, password => $password, smpp_version => 0x34, interface_version => 0x34, async => 0);
        answer($resp, 'system_id');
    } elsif ($command eq 'deliver') {
        my $pdu = shift(@delivered) || wait_for(sub { $_[0]{cmd} == Net::SMPP::CMD_deliver_sm });
        $smpp->deliver_sm_resp(seq => $pdu->{seq}, message_id => '') if $pdu;
        answer($pdu, qw(source_addr destination_addr esm_class data_coding short_message message_payload receipted_message_id message_state));
    } elsif ($command eq 'unbind') {
        my $seq = $smpp->unbind(async => 1);
        answer(wait_for(sub { $_[0]{cmd} == Net::SMPP::CMD_unbind_resp && $_[0]{seq} == $seq }));
        local $SIG{__WARN__} = sub {};    # it warns of the end that is waited for
        my $end = $smpp->read_pdu();
        print defined $end ? "open\n" : "closed\n";
    } else {
        my %fields = map { my ($name, $value) = split /=/, $_, 2; $name => $value =~ /^0x(.*)/ ? pack('H*', $1) : $value } @rest;
        my $seq = $smpp->$command(%fields, async => 1);
        my $resp = wait_for(sub { $_[0]{cmd} >= 0x80000000 && $_[0]{seq} == $seq });
        answer($resp, qw(message_id message_state final_date));
    }
}
