package dev.ember.session.contract

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.config.Trust

class ScopeSuite extends AnyFunSuite {
  private val (one, other) = ("0000-1", "0000-2")
  private val ann = ClientSession("ann", one)
  private val every = Trust.words.map(_._2)

  private def scope(
      trust: Trust,
      artifacts: String,
      client: Option[ClientSession] = Some(ann),
      files: Boolean = false): Scope = Scope.of(trust, Some(artifacts), client)(files)

  test("an application without clients is one scope, whatever is trusted") {
    for (trust <- every) assert(Scope.of(trust, None, None)(false) == Scope.Application)
  }

  test("sessions share nothing unless that was asked for") {
    assert(Trust.Session == dev.ember.config.EmberConf.TrustChoice.default)
    for (trust <- Seq(Trust.Nobody, Trust.Session)) {
      assert(scope(trust, "a") == scope(trust, "a"))
      assert(scope(trust, "a") != scope(trust, "b"))
    }
  }

  test("a user's sessions share, and no other user's") {
    val bob = ClientSession("bob", other)
    val again = ann.copy(id = other)
    assert(scope(Trust.User, "a") == scope(Trust.User, "b", Some(again)))
    assert(scope(Trust.User, "a") != scope(Trust.User, "b", Some(bob)))
  }

  test("where all are trusted all share, and with the application itself") {
    val bob = ClientSession("bob", other)
    assert(scope(Trust.Application, "a", Some(bob)) == scope(Trust.Application, "b"))
    assert(scope(Trust.Application, "a") == Scope.Application)
  }

  test("who brings files shares with nobody") {
    for (trust <- every) {
      assert(scope(trust, "a", files = true) == Scope.Session("a", Some(ann)))
    }
  }

  test("whose user is not known is nobody's user") {
    val nobody = ClientSession("", one)
    for (client <- Seq(None, Some(nobody))) {
      assert(scope(Trust.User, "a", client) == Scope.Session("a", client))
    }
  }

  test("sessions that Spark itself does not keep apart are kept apart by their clients") {
    assert(Scope.of(Trust.Session, None, Some(ann))(false) == Scope.Session(one, Some(ann)))
  }

  test(
    "what lies below a session's folder is its own, and nothing is a user's or the application's") {
    val session = Scope.Session("a-1", None)
    assert(session.brings("/tmp/files/a-1/environment/bin/python"))
    val others = Seq(
      "/tmp/files/a-12/bin/python",
      "/tmp/files/a-1/../b-2/bin/python",
      "/usr/bin/python3",
      "python3")
    assert(!others.exists(session.brings))
    for (scope <- Seq(Scope.Application, Scope.User("a-1"))) {
      assert(!scope.brings("/tmp/files/a-1/environment/bin/python"))
    }
  }

  test("no files are looked for where they do not matter") {
    for (trust <- Seq(Trust.Nobody, Trust.Session)) {
      Scope.of(trust, Some("a"), Some(ann))(fail("looked")): Unit
    }
  }

  test("an executor is for those who are not followed by others") {
    for (trust <- Seq(Trust.Session, Trust.User, Trust.Application)) {
      assert(Scope.mayEmbed(trust, Scope.Application))
      assert(Scope.mayEmbed(trust, Scope.User("ann")))
      assert(!Scope.mayEmbed(trust, Scope.Session("a", Some(ann))))
    }
    assert(!Scope.mayEmbed(Trust.Nobody, Scope.Application))
  }

  test("a job's tags tell the client's session, whatever the user is called") {
    def tag(user: String) =
      s"SparkConnect_OperationTag_User_${user}_Session_${one}_Operation_$other"
    for (user <- Seq("ann", "a_Session_1", tag("bob"), "", "a\nb")) {
      assert(ClientSession.of(Seq("mine", tag(user))).contains(ClientSession(user, one)))
    }
    val others = Seq("mine", s"SparkConnect_Execute_User_ann_Session_${one}_Tag_t")
    assert(ClientSession.of(others).isEmpty)
  }

  test("an operation of nobody knows whom is a session of its own") {
    val client = ClientSession.of(Seq("mine", "SparkConnect_OperationTag_of_another_form"))
    val scope = Scope.of(Trust.Session, None, client)(false)
    assert(scope != Scope.Application && !Scope.mayEmbed(Trust.Session, scope))
  }
}
