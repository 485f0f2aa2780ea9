package dev.ember.clients

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.scheduler.SparkListenerApplicationEnd
import org.apache.spark.sql.connect.service.{
  SparkListenerConnectSessionClosed,
  SparkListenerConnectSessionStarted
}
import org.apache.spark.sql.execution.python.ember.ClientEvents

import dev.ember.contain.QuarantineBook
import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.session.{FakeNative, LaneKey, LentBatches, ProcessLane, WorkerStarter}
import dev.ember.session.contract.{ClientSession, Scope}
import dev.ember.status.{Channel, DriverStatus, StatusBook}

class ClientEndsSuite extends AnyFunSuite {
  private val (ann, bob) = (ClientSession("ann", "1"), ClientSession("bob", "2"))

  private def books(clients: EndedSessions): DriverStatus =
    DriverStatus(new StatusBook, new QuarantineBook(_ => true, _ => ()), clients)

  private def link(clients: EndedSessions): ClientLink =
    ClientLink.to(new Channel("1", books(clients).receive))

  test("an executor learns which of its sessions have ended, and of no others") {
    val clients = new EndedSessions(9)
    Seq(ann, ClientSession("eve", "3")).foreach(clients.ends)
    assert(link(clients).ended(Set(ann, bob)) == Set(ann))
    assert(link(clients).ended(Set.empty) == Set.empty)
  }

  test("the driver hears of ends from the events of Spark's Connect server") {
    val clients = new EndedSessions(9)
    def closed(session: ClientSession) = ClientEvents.note(
      SparkListenerConnectSessionClosed(session.id, session.user, 0L, Map.empty),
      clients)
    Seq(ann, bob).foreach(closed)
    assert(clients.of(Seq(ann, bob)) == Seq(ann, bob))
    ClientEvents.note(SparkListenerConnectSessionStarted(ann.id, ann.user, 0L, Map.empty), clients)
    ClientEvents.note(SparkListenerApplicationEnd(0L), clients)
    assert(clients.of(Seq(ann, bob)) == Seq(bob))
  }

  test("only the newest ends are remembered") {
    val clients = new EndedSessions(2)
    val all = (1 to 5).map(id => ClientSession("ann", id.toString))
    all.foreach(clients.ends)
    assert(clients.of(all) == all.takeRight(2))
  }

  test("a look asks for the sessions that have workers here, and lets those of ended ones go") {
    var natives = Seq.empty[FakeNative]
    val starter = new WorkerStarter {
      override val lent: LentBatches = new LentBatches(new FakeNative)
      override def processes: Int = 0
      override def end(): Unit = ()
      override def workers(
          key: LaneKey,
          environment: Map[String, String]): Either[FallbackReason, Native] = {
        natives :+= new FakeNative
        Right(natives.last)
      }
    }
    val lane = new ProcessLane(starter, () => 0L)
    val clients = new EndedSessions(9)
    for (client <- Seq(ann, bob)) {
      val scope = Scope.Session(client.id, Some(client))
      lane.enter(LaneKey("/python", scope, Set.empty, "1"), Map.empty).toOption.get: Unit
    }
    val ends = new ClientEnds(lane, link(clients), idleMs = 60000L)
    ends.look()
    assert(lane.sessions.size == 2)
    clients.ends(ann)
    ends.look()
    assert(lane.sessions.flatMap(_.client) == Set(bob))
    assert(natives.map(_.calls.contains("letGo")) == Seq(true, false))
  }
}
