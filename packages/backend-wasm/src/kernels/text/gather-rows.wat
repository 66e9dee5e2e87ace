(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i32 i32)))
  (import "nn" "m" (memory (;0;) 0 65536))
  (import "nn" "wait" (func (;0;) (type 0)))
  (func $gather (type 1) (param i32 i32 i32 i32 i32 i32 i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (local.set 7
      (i32.add
        (local.get 2)
        (i32.mul
          (local.get 5)
          (i32.const 32))))
    (local.set 8
      (i32.add
        (local.get 1)
        (i32.mul
          (local.get 5)
          (i32.const 4))))
    (local.set 9
      (local.get 5))
    (if  ;; label = @1
      (i32.lt_u
        (local.get 9)
        (local.get 6))
      (then
        (loop  ;; label = @2
          (local.set 10
            (i32.load
              (local.get 8)))
          (if  ;; label = @3
            (i32.lt_u
              (local.get 10)
              (i32.const 10))
            (then
              (local.set 11
                (i32.add
                  (local.get 0)
                  (i32.mul
                    (local.get 10)
                    (i32.const 32))))
              (local.set 12
                (local.get 7))
              (local.set 13
                (local.get 11))
              (local.set 14
                (i32.const 2))
              (loop  ;; label = @4
                (v128.store align=4
                  (local.get 12)
                  (v128.load align=4
                    (local.get 13)))
                (local.set 12
                  (i32.add
                    (local.get 12)
                    (i32.const 16)))
                (local.set 13
                  (i32.add
                    (local.get 13)
                    (i32.const 16)))
                (local.set 14
                  (i32.sub
                    (local.get 14)
                    (i32.const 1)))
                (br_if 0 (;@4;)
                  (local.get 14))))
            (else
              (i32.store
                (i32.const 512)
                (i32.const 1))
              (i32.store
                (i32.const 516)
                (local.get 10))
              (i32.store
                (i32.const 520)
                (i32.const 10))
              (i32.store
                (i32.const 524)
                (i32.const 0))
              (local.set 15
                (local.get 7))
              (local.set 16
                (local.get 0))
              (local.set 17
                (i32.const 2))
              (loop  ;; label = @4
                (v128.store align=4
                  (local.get 15)
                  (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
                (local.set 15
                  (i32.add
                    (local.get 15)
                    (i32.const 16)))
                (local.set 16
                  (i32.add
                    (local.get 16)
                    (i32.const 16)))
                (local.set 17
                  (i32.sub
                    (local.get 17)
                    (i32.const 1)))
                (br_if 0 (;@4;)
                  (local.get 17)))))
          (local.set 7
            (i32.add
              (local.get 7)
              (i32.const 32)))
          (local.set 8
            (i32.add
              (local.get 8)
              (i32.const 4)))
          (local.set 9
            (i32.add
              (local.get 9)
              (i32.const 1)))
          (br_if 0 (;@2;)
            (i32.lt_u
              (local.get 9)
              (local.get 6))))))))

;; constants: 
